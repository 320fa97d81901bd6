//! The patterns of `#[on(…)]` and `ignore(…)`: alternatives, each a variant with or without its fields.

use crate::errors::Errors;
use crate::event_handler::parse::removal::{brackets, remove};
use proc_macro2::{Ident, TokenStream};
use syn::parse::Parser;
use syn::{Pat, PatIdent, Path};

/// One side of a `|`.
#[derive(Clone)]
pub(crate) struct Alternative {
    /// `name @` in front of it.
    pub(crate) binding: Option<PatIdent>,
    /// The variant, without its enum.
    pub(crate) variant: Ident,
    /// What is said about its fields.
    pub(crate) fields: FieldPatterns,
}

/// What an alternative says about the fields of its variant.
#[derive(Clone)]
pub(crate) enum FieldPatterns {
    /// Nothing: the method's parameters are the names of fields.
    Bare,
    /// A pattern.
    Written {
        /// The pattern.
        pattern: Box<Pat>,
        /// Its brackets and what they hold.
        tokens: TokenStream,
        /// The names that it binds; `None` if a macro in it may bind any.
        bindings: Option<Vec<Ident>>,
        /// Whether it takes every value of the variant, as far as can be told without types.
        irrefutable: bool,
    },
}

/// Reads a pattern into its alternatives. `example` is a right one, for messages.
pub(crate) fn parse(tokens: TokenStream, example: &str, errors: &mut Errors) -> Vec<Alternative> {
    let mut found = Vec::new();
    match Pat::parse_multi_with_leading_vert.parse2(tokens.clone()) {
        Ok(pattern) => alternatives(&pattern, None, example, &mut found, errors),
        Err(error) => match guard(tokens) {
            Some(guard) => errors.on(
                &guard,
                "a handler runs for every event that its pattern matches; move the condition into the method's body",
            ),
            None => errors.push(error),
        },
    }
    found
}

/// The `if …` behind a pattern.
fn guard(tokens: TokenStream) -> Option<TokenStream> {
    let guard: TokenStream = tokens
        .into_iter()
        .skip_while(|token| !matches!(token, proc_macro2::TokenTree::Ident(ident) if ident == "if"))
        .collect();
    (!guard.is_empty()).then_some(guard)
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

/// The variant alone: the enum is known.
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

/// Fields with patterns.
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

/// What can be told about a pattern without types.
struct Inspection {
    /// The identifiers in it that may be bindings. Some may be constants: only the compiler knows.
    bindings: Vec<Ident>,
    /// Whether a macro hides a part of it.
    has_macro: bool,
    /// Whether it takes everything.
    irrefutable: bool,
}

impl Inspection {
    /// Looks at a pattern and all that is in it.
    fn inspect(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(ident) => {
                // A capital is a constant, by everybody's convention.
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
            // These match only some values, or a type would have to be known to tell.
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

    /// Looks at several.
    fn inspect_all<'a>(&mut self, patterns: impl IntoIterator<Item = &'a Pat>) {
        for pattern in patterns {
            self.inspect(pattern);
        }
    }
}

impl Alternative {
    /// Whether it takes every value of its variant, as far as can be told without types.
    pub(crate) fn is_irrefutable(&self) -> bool {
        match &self.fields {
            FieldPatterns::Bare => true,
            FieldPatterns::Written { irrefutable, .. } => *irrefutable,
        }
    }

    /// The binding of this name, if there may be one. For a bare variant, every name is a field's.
    pub(crate) fn binds(&self, name: &Ident) -> bool {
        self.binding
            .as_ref()
            .is_some_and(|binding| binding.ident == *name)
            || match &self.fields {
                FieldPatterns::Bare | FieldPatterns::Written { bindings: None, .. } => true,
                FieldPatterns::Written {
                    bindings: Some(bindings),
                    ..
                } => bindings.contains(name),
            }
    }

    /// Whether the binding of this name can be left out without changing what the rest matches.
    pub(crate) fn can_do_without(&self, name: &Ident) -> bool {
        let is_binding = |binding: &PatIdent| binding.ident == *name;
        self.binding.as_ref().is_some_and(is_binding)
            || match &self.fields {
                FieldPatterns::Bare => true,
                FieldPatterns::Written { pattern, .. } => remove(&mut pattern.clone(), name),
            }
    }

    /// The alternative as the user wrote it, in short: for messages.
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
