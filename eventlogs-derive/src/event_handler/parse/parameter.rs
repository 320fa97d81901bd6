//! A parameter of a handler: the value that it receives, and the check that the patterns bind it.

use crate::errors::Errors;
use crate::event_handler::parse::kind::Kind;
use crate::event_handler::parse::marks;
use crate::event_handler::parse::pattern::{Alternative, FieldPatterns};
use crate::event_handler::parse::record;
use crate::spelling::spelled;
use crate::suggest;
use crate::tokens::{self, compact};
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Pat, PatType, Type};

/// The value that a parameter receives.
pub(crate) enum Parameter<'a> {
    /// The record.
    Record {
        /// The span of the parameter.
        place: Span,
    },
    /// The context: what the handlers of a projection write with.
    Context {
        /// The span of the parameter.
        place: Span,
        /// Its `#[context]`.
        mark: &'a Attribute,
        /// The type `T` of the parameter `&mut T`.
        context: &'a Type,
    },
    /// A binding of the pattern.
    Bound {
        /// The name of the parameter and of the binding.
        name: &'a Ident,
        /// Its type. A reference takes the binding itself, and any other type a clone.
        found: &'a Type,
    },
}

impl<'a> Parameter<'a> {
    /// The name that the pattern must bind for the parameter.
    pub(crate) fn name(&self) -> Option<&'a Ident> {
        match self {
            Self::Record { .. } | Self::Context { .. } => None,
            Self::Bound { name, .. } => Some(name),
        }
    }
}

/// Reads one parameter.
pub(crate) fn parse<'a>(
    typed: &'a PatType,
    bare: bool,
    kind: Kind,
    errors: &mut Errors,
) -> Option<Parameter<'a>> {
    let place = typed.pat.span();
    if let Some(mark) = mark(typed, "context", errors) {
        let context = context(typed, mark, kind, errors)?;
        return Some(Parameter::Context {
            place,
            mark,
            context,
        });
    }
    if mark(typed, "record", errors).is_some() {
        record::check(&typed.ty, kind, errors);
        return Some(Parameter::Record { place });
    }
    let is_hidden = |attribute| marks::hidden(attribute, marks::OF_PARAMETERS).is_some();
    if typed.attrs.iter().any(is_hidden) {
        // The parameter is marked, and the wrong form of the mark is already reported.
        return None;
    }
    if record::is_unmarked(&typed.ty) {
        errors.on(&typed.pat, record::UNMARKED);
        return None;
    }
    check_type(&typed.ty, kind, errors);
    match &*typed.pat {
        Pat::Ident(name) if name.subpat.is_none() => Some(Parameter::Bound {
            name: &name.ident,
            found: tokens::ungrouped(&typed.ty),
        }),
        other if bare => {
            errors.on(
                other,
                "a parameter cannot be a pattern; name the field here, or write the whole pattern in `#[on(…)]`",
            );
            None
        }
        other => {
            errors.on(
                other,
                "a parameter cannot be a pattern; name a binding of `#[on(…)]` here, and destructure it there",
            );
            None
        }
    }
}

/// Checks the type of a parameter that receives a field, as far as that is possible without the field.
fn check_type(found: &Type, kind: Kind, errors: &mut Errors) {
    let tokens = found.to_token_stream();
    if record::is_impl_trait(found) {
        if tokens::mention(tokens.clone(), &tokens::local("EventRecord")) {
            errors.on(found, record::UNMARKED);
        } else {
            let shown = compact(&tokens);
            errors.on(
                found,
                format!("handlers are plain methods; write a concrete type instead of `{shown}`"),
            );
        }
    }
    let Type::Reference(reference) = tokens::ungrouped(found) else {
        return;
    };
    let shown = spelled(&reference.elem);
    // `&mut Self` is a receiver with another name, which is reported.
    if reference.mutability.is_none() || shown == "Self" {
        return;
    }
    let message = match kind {
        Kind::Aggregate => format!("a handler cannot change an event; write `&{shown}`"),
        Kind::Subscriber => format!(
            "a handler cannot change an event; mark the parameter `#[context]` if the handler writes with it, or write `&{shown}`"
        ),
    };
    errors.on(found, message);
}

/// The mark with this name on a parameter.
fn mark<'a>(typed: &'a PatType, name: &str, errors: &mut Errors) -> Option<&'a Attribute> {
    let mut attributes = typed.attrs.iter();
    let mark = attributes.find(|attribute| marks::is_called(attribute, name))?;
    if !matches!(mark.meta, Meta::Path(_)) {
        errors.on(mark, format!("`#[{name}]` takes no arguments"));
    }
    Some(mark)
}

/// Reads the type of a context.
fn context<'a>(
    typed: &'a PatType,
    mark: &Attribute,
    kind: Kind,
    errors: &mut Errors,
) -> Option<&'a Type> {
    if let Some(record) = self::mark(typed, "record", &mut Errors::default()) {
        errors.on(
            record,
            "a parameter receives either the record or the context; remove one of the marks",
        );
        return None;
    }
    if kind == Kind::Aggregate {
        errors.on(
            mark,
            "an aggregate has no context; `#[context]` works only in a block of `async` handlers, which belong to a projection",
        );
        return None;
    }
    match tokens::ungrouped(&typed.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            if record::is_impl_trait(&reference.elem) {
                let shown = compact(&reference.elem.to_token_stream());
                errors.on(
                    &reference.elem,
                    format!("the handlers share one context; write its type instead of `{shown}`"),
                );
                return None;
            }
            Some(&reference.elem)
        }
        other => {
            let shown = compact(&match other {
                Type::Reference(reference) => reference.elem.to_token_stream(),
                other => other.to_token_stream(),
            });
            errors.on(
                other,
                format!("a handler borrows the context; write `&mut {shown}`"),
            );
            None
        }
    }
}

/// Checks that every alternative binds the parameter. Returns `true` if they do.
pub(crate) fn check_bound(name: &Ident, alternatives: &[Alternative], errors: &mut Errors) -> bool {
    let Some(without) = alternatives
        .iter()
        .find(|alternative| !alternative.binds(name))
    else {
        return true;
    };
    let pattern = without.shown();
    let closest = match &without.fields {
        FieldPatterns::Written {
            bindings: Some(bindings),
            ..
        } => {
            let bindings: Vec<String> = bindings.iter().map(ToString::to_string).collect();
            suggest::closest(&name.to_string(), bindings.iter().map(String::as_str))
                .map(ToOwned::to_owned)
        }
        _ => None,
    };
    if let Some(field) = without.pattern_of_field(name) {
        let shown = spelled(field);
        errors.on(
            field,
            format!("`{name}: {shown}` does not bind `{name}`; write `{name}` alone"),
        );
        return false;
    }
    errors.on(
        name,
        match closest {
            Some(closest) => format!("the pattern `{pattern}` does not bind `{name}`; did you mean `{closest}`?"),
            None => format!("the pattern `{pattern}` does not bind `{name}`; bind it there or remove the parameter"),
        },
    );
    false
}

/// Refuses bindings that no parameter takes. The compiler would advise to use a field of the aggregate with the same name.
///
/// A name with a capital letter is a constant by convention, and a name with an underscore is unused on purpose.
pub(crate) fn refuse_unused(
    alternatives: &[Alternative],
    parameters: &[&Ident],
    errors: &mut Errors,
) {
    let mut reported: Vec<&Ident> = Vec::new();
    for alternative in alternatives {
        for name in alternative.bindings() {
            let is_used = parameters.contains(&name) || reported.contains(&name);
            if is_used
                || name
                    .to_string()
                    .starts_with(|first: char| first == '_' || first.is_uppercase())
            {
                continue;
            }
            reported.push(name);
            let without = alternative.without_binding(name);
            errors.on(
                name,
                format!(
                    "the pattern binds `{name}`, but no parameter takes it; add the parameter `{name}`, or {without}"
                ),
            );
        }
    }
}
