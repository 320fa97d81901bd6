//! The patterns of `#[on(…)]` and `ignore(…)`: alternatives, each a variant with or without its fields.

use crate::errors::Errors;
use crate::event_handler::parse::removal::{brackets, remove};
use crate::spelling::spelled;
use proc_macro2::{Ident, Punct, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Member, Pat, PatIdent, Path, Token};

/// One side of a `|`.
#[derive(Clone)]
pub(crate) struct Alternative {
    /// The binding `name @` before the variant.
    pub(crate) binding: Option<PatIdent>,
    /// The variant, without its enum.
    pub(crate) variant: Ident,
    /// The patterns of its fields.
    pub(crate) fields: FieldPatterns,
}

/// The patterns of the fields in an alternative.
#[derive(Clone)]
pub(crate) enum FieldPatterns {
    /// A bare variant: the parameters of the method name its fields.
    Bare,
    /// A pattern.
    Written {
        /// The pattern.
        pattern: Box<Pat>,
        /// The brackets of the pattern and their content.
        tokens: TokenStream,
        /// The names that the pattern binds; `None` if it contains a macro, which may bind any name.
        bindings: Option<Vec<Ident>>,
        /// `true` if the pattern matches every value of the variant, as far as is known without types.
        irrefutable: bool,
    },
}

/// Reads a pattern into its alternatives. `example` is a correct pattern, for messages.
pub(crate) fn parse(tokens: TokenStream, example: &str, errors: &mut Errors) -> Vec<Alternative> {
    let mut found = Vec::new();
    match Pat::parse_multi_with_leading_vert.parse2(tokens.clone()) {
        Ok(pattern) => alternatives(&pattern, None, example, &mut found, errors),
        Err(error) => {
            if let Some(guard) = guard(tokens.clone()) {
                errors.on(
                    &guard,
                    "a handler runs for every event that its pattern matches; move the condition into the method's body",
                );
            } else if let Some((comma, advice)) = listed(tokens) {
                errors.on(&comma, advice);
            } else {
                errors.at(
                    error.span(),
                    format!("expected a variant, as in `{example}`"),
                );
            }
        }
    }
    found
}

/// The `if …` after a pattern.
fn guard(tokens: TokenStream) -> Option<TokenStream> {
    let guard: TokenStream = tokens
        .into_iter()
        .skip_while(|token| !matches!(token, TokenTree::Ident(ident) if ident == "if"))
        .collect();
    (!guard.is_empty()).then_some(guard)
}

/// The first comma in a list of patterns, and what to write instead.
fn listed(tokens: TokenStream) -> Option<(Punct, String)> {
    let comma = tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Punct(punct) if punct.as_char() == ',' => Some(punct),
        _ => None,
    })?;
    let patterns = Punctuated::<Pat, Token![,]>::parse_terminated_with;
    let patterns = (|input: ParseStream<'_>| patterns(input, Pat::parse_multi))
        .parse2(tokens)
        .ok()?;
    let is_variant = |pattern: &&Pat| !matches!(pattern, Pat::Ident(name) if !name.ident.to_string().starts_with(char::is_uppercase));
    let mut patterns = patterns.iter().peekable();
    let first = patterns.next_if(is_variant).map(spelled);
    let others: Vec<String> = patterns.filter(is_variant).map(spelled).collect();
    let advice = match first {
        // The names after the comma are those of fields.
        Some(first) if others.is_empty() => {
            format!("the parameters name the fields; write the variant alone, `{first}`")
        }
        first => {
            let joined: Vec<String> = first.into_iter().chain(others).collect();
            format!(
                "separate the variants with `|`; write `{}`",
                joined.join(" | ")
            )
        }
    };
    Some((comma, advice))
}

/// Takes a pattern apart at its top level.
fn alternatives(
    pattern: &Pat,
    binding: Option<&PatIdent>,
    example: &str,
    found: &mut Vec<Alternative>,
    errors: &mut Errors,
) {
    let mut push = |path: &Path, fields: FieldPatterns, errors: &mut Errors| {
        if let Some(variant) = variant(path, errors) {
            found.push(Alternative {
                binding: binding.cloned(),
                variant,
                fields,
            });
        }
    };
    match pattern {
        Pat::Or(or) => {
            for case in &or.cases {
                alternatives(case, binding, example, found, errors);
            }
        }
        Pat::Paren(paren) => alternatives(&paren.pat, binding, example, found, errors),
        Pat::Ident(ident) if ident.subpat.is_some() && binding.is_none() => {
            if let Some((_, inside)) = &ident.subpat {
                let bare = PatIdent { subpat: None, ..ident.clone() };
                alternatives(inside, Some(&bare), example, found, errors);
            }
        }
        Pat::Ident(ident) if ident.subpat.is_none() && ident.by_ref.is_none() && ident.mutability.is_none() => {
            push(&ident.ident.clone().into(), FieldPatterns::Bare, errors);
        }
        Pat::Path(path) if path.qself.is_none() => push(&path.path, FieldPatterns::Bare, errors),
        Pat::TupleStruct(tuple) if tuple.qself.is_none() => {
            push(&tuple.path, written(pattern, tuple.elems.iter()), errors);
        }
        Pat::Struct(fields) if fields.qself.is_none() => {
            push(&fields.path, written(pattern, fields.fields.iter().map(|field| &*field.pat)), errors);
        }
        Pat::Wild(wild) => errors.on(
            wild,
            "`_` would match events that do not exist yet; name the variants, or ignore the rest with `ignore(_)`",
        ),
        Pat::Guard(guard) => errors.on(
            &guard.guard,
            "a handler runs for every event that its pattern matches; move the condition into the method's body",
        ),
        other => errors.on(other, format!("expected a variant, as in `{example}`")),
    }
}

/// Reads the path of a variant, which must not contain the enum: the enum is known.
fn variant(path: &Path, errors: &mut Errors) -> Option<Ident> {
    let last = &path.segments.last()?.ident;
    if path.segments.len() > 1 || path.leading_colon.is_some() {
        errors.on(
            path,
            format!(
                "the enum is already named in `#[event_handler(…)]`; write the variant alone, `{last}`"
            ),
        );
    }
    Some(last.clone())
}

/// The patterns of fields, as written.
fn written<'a>(pattern: &Pat, patterns: impl Iterator<Item = &'a Pat>) -> FieldPatterns {
    let mut found = Inspection {
        bindings: Vec::new(),
        has_macro: false,
        irrefutable: true,
    };
    for pattern in patterns {
        found.inspect(pattern);
    }
    let bindings = (!found.has_macro).then_some(found.bindings);
    FieldPatterns::Written {
        pattern: Box::new(pattern.clone()),
        tokens: brackets(pattern),
        bindings,
        irrefutable: found.irrefutable,
    }
}

/// The facts about a pattern that are known without types.
struct Inspection {
    /// The identifiers that may be bindings. Some may be constants, which only the compiler knows.
    bindings: Vec<Ident>,
    /// `true` if a part of the pattern is a macro call.
    has_macro: bool,
    /// `true` if the pattern matches every value.
    irrefutable: bool,
}

impl Inspection {
    /// Inspects a pattern and the patterns inside it.
    fn inspect(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(ident) => {
                // By convention, an identifier with a capital letter is a constant.
                self.irrefutable &= !ident.ident.to_string().starts_with(char::is_uppercase);
                self.bindings.push(ident.ident.clone());
                if let Some((_, inside)) = &ident.subpat {
                    self.inspect(inside);
                }
            }
            Pat::Wild(_) | Pat::Rest(_) => {}
            Pat::Paren(paren) => self.inspect(&paren.pat),
            Pat::Reference(reference) => self.inspect(&reference.pat),
            Pat::Tuple(tuple) => self.inspect_all(&tuple.elems),
            // These patterns match only some values, or it depends on a type that is unknown here.
            Pat::Struct(fields) => {
                self.irrefutable = false;
                self.inspect_all(fields.fields.iter().map(|field| &*field.pat));
            }
            Pat::TupleStruct(tuple) => {
                self.irrefutable = false;
                self.inspect_all(&tuple.elems);
            }
            Pat::Slice(slice) => {
                self.irrefutable = false;
                self.inspect_all(&slice.elems);
            }
            Pat::Or(or) => {
                self.irrefutable = false;
                self.inspect_all(&or.cases);
            }
            Pat::Macro(_) | Pat::Verbatim(_) => {
                self.irrefutable = false;
                self.has_macro = true;
            }
            _ => self.irrefutable = false,
        }
    }

    /// Inspects several patterns.
    fn inspect_all<'a>(&mut self, patterns: impl IntoIterator<Item = &'a Pat>) {
        for pattern in patterns {
            self.inspect(pattern);
        }
    }
}

impl Alternative {
    /// Returns `true` if the alternative is a name and nothing else.
    pub(crate) const fn is_bare(&self) -> bool {
        self.binding.is_none() && matches!(self.fields, FieldPatterns::Bare)
    }

    /// Returns `true` if the alternative matches every value of its variant, as far as is known without types.
    pub(crate) fn is_irrefutable(&self) -> bool {
        match &self.fields {
            FieldPatterns::Bare => true,
            FieldPatterns::Written { irrefutable, .. } => *irrefutable,
        }
    }

    /// Returns `true` if the alternative may bind this name. In a bare variant, every name may be that of a field.
    pub(crate) fn binds(&self, name: &Ident) -> bool {
        self.is_bound_whole(name)
            || match &self.fields {
                FieldPatterns::Bare | FieldPatterns::Written { bindings: None, .. } => true,
                FieldPatterns::Written {
                    bindings: Some(bindings),
                    ..
                } => bindings.contains(name),
            }
    }

    /// Returns `true` if the name is bound to the whole event: `name @ Variant`.
    pub(crate) fn is_bound_whole(&self, name: &Ident) -> bool {
        let is_whole = |binding: &PatIdent| binding.ident == *name;
        self.binding.as_ref().is_some_and(is_whole)
    }

    /// The names that the alternative binds, as far as they are known.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = &Ident> {
        let written = match &self.fields {
            FieldPatterns::Written {
                bindings: Some(bindings),
                ..
            } => bindings.as_slice(),
            FieldPatterns::Bare | FieldPatterns::Written { bindings: None, .. } => &[],
        };
        let whole = self.binding.iter().map(|binding| &binding.ident);
        whole.chain(written)
    }

    /// The pattern that the field with this name has, if it is not the name alone.
    pub(crate) fn pattern_of_field(&self, name: &Ident) -> Option<&Pat> {
        let FieldPatterns::Written { pattern, .. } = &self.fields else {
            return None;
        };
        let Pat::Struct(fields) = &**pattern else {
            return None;
        };
        let mut fields = fields.fields.iter();
        let field =
            fields.find(|field| matches!(&field.member, Member::Named(found) if found == name))?;
        field.colon_token.map(|_| &*field.pat)
    }

    /// The advice of messages: what to write instead of binding this name.
    pub(crate) fn without_binding(&self, name: &Ident) -> String {
        if self.is_bound_whole(name) {
            return format!("remove `{name} @`");
        }
        match &self.fields {
            FieldPatterns::Written { tokens, .. } if tokens.to_string().starts_with('{') => {
                "write `..` instead".to_owned()
            }
            _ => "write `_` instead".to_owned(),
        }
    }

    /// Returns `true` if the pattern matches the same values without the binding of this name.
    pub(crate) fn can_do_without(&self, name: &Ident) -> bool {
        self.is_bound_whole(name)
            || match &self.fields {
                FieldPatterns::Bare => true,
                FieldPatterns::Written { pattern, .. } => remove(&mut pattern.clone(), name),
            }
    }

    /// The alternative in a short form, for messages.
    pub(crate) fn shown(&self) -> String {
        match &self.fields {
            FieldPatterns::Bare => self.variant.to_string(),
            FieldPatterns::Written { tokens, .. } if tokens.to_string().starts_with('(') => {
                format!("{}(..)", self.variant)
            }
            FieldPatterns::Written { .. } => format!("{} {{ .. }}", self.variant),
        }
    }
}
