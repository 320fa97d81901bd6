//! A parameter of a handler: the value that it receives, and the check that the patterns bind it.

use crate::errors::Errors;
use crate::event_handler::parse::marks;
use crate::event_handler::parse::pattern::{Alternative, FieldPatterns};
use crate::suggest;
use crate::tokens::{self, compact};
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Pat, PatType, Type};

/// The value that a parameter receives.
pub(crate) enum Parameter<'a> {
    /// The record.
    Record {
        /// The span of the parameter.
        place: Span,
    },
    /// A binding of the pattern.
    Bound {
        /// The name of the parameter and of the binding.
        name: &'a Ident,
        /// `true` if the parameter is a reference, and takes the binding itself.
        by_reference: bool,
    },
}

impl<'a> Parameter<'a> {
    /// The name that the pattern must bind for the parameter.
    pub(crate) fn name(&self) -> Option<&'a Ident> {
        match self {
            Self::Record { .. } => None,
            Self::Bound { name, .. } => Some(name),
        }
    }

    /// Returns `true` if the parameter receives a clone.
    pub(crate) fn is_cloned(&self) -> bool {
        matches!(
            self,
            Self::Bound {
                by_reference: false,
                ..
            }
        )
    }
}

/// Reads one parameter.
pub(crate) fn parse<'a>(
    typed: &'a PatType,
    bare: bool,
    errors: &mut Errors,
) -> Option<Parameter<'a>> {
    let mut marks = typed
        .attrs
        .iter()
        .filter(|attribute| marks::is_called(attribute, "record"));
    if let Some(mark) = marks.next() {
        if !matches!(mark.meta, syn::Meta::Path(_)) {
            errors.on(mark, "`#[record]` takes no arguments");
        }
        return Some(Parameter::Record {
            place: typed.pat.span(),
        });
    }
    let is_hidden = |attribute| marks::hidden(attribute, &["record"]).is_some();
    if typed.attrs.iter().any(is_hidden) {
        // The parameter is marked, and the wrong form of the mark is already reported.
        return Some(Parameter::Record {
            place: typed.pat.span(),
        });
    }
    let type_tokens = typed.ty.to_token_stream();
    if is_impl_trait(&typed.ty) {
        let message = if tokens::mention(type_tokens.clone(), &tokens::local("EventRecord")) {
            "the mark of this parameter is missing; add `#[record]` to receive the event's record"
                .to_owned()
        } else {
            let shown = compact(&type_tokens);
            format!("handlers are plain methods; write a concrete type instead of `{shown}`")
        };
        errors.on(&typed.ty, message);
    }
    match &*typed.pat {
        Pat::Ident(name) if name.subpat.is_none() => {
            let by_reference = matches!(&*typed.ty, Type::Reference(_));
            Some(Parameter::Bound {
                name: &name.ident,
                by_reference,
            })
        }
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

/// Returns `true` if the type is `impl Trait` or a reference to it.
fn is_impl_trait(found: &Type) -> bool {
    match found {
        Type::ImplTrait(_) => true,
        Type::Reference(reference) => is_impl_trait(&reference.elem),
        Type::Paren(inside) => is_impl_trait(&inside.elem),
        _ => false,
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
    errors.on(
        name,
        match closest {
            Some(closest) => format!("the pattern `{pattern}` does not bind `{name}`; did you mean `{closest}`?"),
            None => format!("the pattern `{pattern}` does not bind `{name}`; bind it there or remove the parameter"),
        },
    );
    false
}
