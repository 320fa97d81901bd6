//! First stage: the signature of a handler, and what is wrong with it.

use super::block::{Method, goes_along, is_called, may_remove};
use super::condition::{self, Condition};
use super::conditional;
use super::pattern::{Alternative, FieldPatterns};
use crate::errors::Errors;
use crate::suggest;
use crate::tokens;
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Pat, PatType, Receiver, ReceiverKind, ReturnType, Safety,
    Signature, Type,
};

/// A method with `#[on(…)]`.
pub(crate) struct ParsedHandler<'a> {
    /// Its name.
    pub(crate) method: &'a Ident,
    /// The conditions under which it exists, and the lints that are allowed in it.
    pub(crate) attributes: Vec<&'a Attribute>,
    /// What it handles.
    pub(crate) alternatives: Vec<Alternative>,
    /// What it is called with.
    pub(crate) parameters: Vec<Passed<'a>>,
    /// The condition that some of the parameters have.
    pub(crate) condition: Option<Condition>,
}

/// A parameter, and when there is one.
pub(crate) struct Passed<'a> {
    /// What it receives.
    pub(crate) parameter: Parameter<'a>,
    /// Whether it takes that the handler's condition holds, or that it does not; `None` if it is always there.
    pub(crate) when: Option<bool>,
}

impl ParsedHandler<'_> {
    /// Whether it may not exist.
    pub(crate) fn is_conditional(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| may_remove(attribute))
    }
}

/// What a parameter receives.
pub(crate) enum Parameter<'a> {
    /// The record.
    Record {
        /// Where the parameter stands.
        place: Span,
    },
    /// A binding of the pattern.
    Bound {
        /// The name of both.
        name: &'a Ident,
        /// Whether the parameter is a reference, and takes the binding as it is.
        by_reference: bool,
    },
}

impl<'a> Parameter<'a> {
    /// The name that the pattern has to bind for it.
    pub(crate) fn name(&self) -> Option<&'a Ident> {
        match self {
            Self::Record { .. } => None,
            Self::Bound { name, .. } => Some(name),
        }
    }

    /// Whether it receives a copy.
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

/// Reads a handler's signature.
pub(crate) fn parse<'a>(
    method: &'a Method,
    alternatives: Vec<Alternative>,
    errors: &mut Errors,
) -> ParsedHandler<'a> {
    let signature = &method.signature;
    check_qualifiers(signature, errors);
    check_receiver(signature, errors);
    conditional::check_receiver(signature, errors);
    check_output(&signature.output, errors);
    let bare = alternatives
        .iter()
        .all(|alternative| matches!(alternative.fields, FieldPatterns::Bare));
    let mut common = None;
    let parameters = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => {
            let when = conditional::when(typed, &mut common, errors);
            let parameter = parameter(typed, bare, errors)?;
            if let Parameter::Bound { name, .. } = &parameter {
                let is_bound = check_bound(name, &alternatives, errors);
                if is_bound
                    && when.is_some()
                    && let Some(condition) = Condition::of(&typed.attrs)
                {
                    conditional::check_removable(name, &condition, &alternatives, errors);
                }
            }
            Some(Passed { parameter, when })
        }
    });
    let parameters: Vec<_> = parameters.collect();
    let attributes = method
        .attributes
        .iter()
        .filter(|attribute| goes_along(attribute))
        .collect();
    ParsedHandler {
        method: &signature.ident,
        attributes,
        alternatives,
        parameters,
        condition: common.map(|(_, condition)| condition),
    }
}

/// A handler is called from one place, synchronously, with what the event holds.
fn check_qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(asyncness) = &signature.asyncness {
        errors.on(
            asyncness,
            "handlers run during replay and cannot await; do the I/O before appending the event",
        );
    }
    if let Some(constness) = &signature.constness {
        errors.on(constness, "handlers are plain methods; remove `const`");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        errors.on(unsafety, "handlers are plain methods; remove `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.on(
            abi,
            format!(
                "handlers are plain methods; remove `{}`",
                abi.to_token_stream()
            ),
        );
    }
    // A lifetime only gives a name to what every reference parameter has.
    if signature
        .generics
        .params
        .iter()
        .any(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
    {
        let shown = signature.generics.to_token_stream();
        errors.on(
            &signature.generics,
            format!(
                "handlers are plain methods; remove `{}`",
                compact(&shown.to_string())
            ),
        );
    }
}

/// A handler changes the aggregate in place.
fn check_receiver(signature: &Signature, errors: &mut Errors) {
    let message = "a handler changes the aggregate; take `&mut self`";
    match signature.receiver() {
        None => errors.on(&signature.ident, message),
        Some(Receiver {
            kind: ReceiverKind::Reference(_, _, Some(_)),
            ..
        }) => {}
        Some(Receiver {
            kind: ReceiverKind::Typed(_, typed),
            ..
        }) if is_mutable_reference(typed) => {}
        Some(receiver) => errors.on(receiver, message),
    }
}

/// `&mut Self`, or another spelling of it that the compiler will judge.
fn is_mutable_reference(found: &Type) -> bool {
    matches!(found, Type::Reference(reference) if reference.mutability.is_some())
}

/// What has happened cannot be refused, and nobody is there to take a value.
fn check_output(output: &ReturnType, errors: &mut Errors) {
    if let ReturnType::Type(_, found) = output
        && !matches!(&**found, Type::Tuple(tuple) if tuple.elems.is_empty())
    {
        errors.on(
            found,
            "a handler cannot refuse an event that has already happened; check before appending",
        );
    }
}

/// Reads one parameter.
fn parameter<'a>(typed: &'a PatType, bare: bool, errors: &mut Errors) -> Option<Parameter<'a>> {
    let mut marks = typed
        .attrs
        .iter()
        .filter(|attribute| is_called(attribute, "record"));
    if let Some(mark) = marks.next() {
        if !matches!(mark.meta, syn::Meta::Path(_)) {
            errors.on(mark, "`#[record]` takes no arguments");
        }
        return Some(Parameter::Record {
            place: typed.pat.span(),
        });
    }
    let is_hidden = |attribute| condition::hidden(attribute, &["record"]).is_some();
    if typed.attrs.iter().any(is_hidden) {
        // It is marked, in a way that was reported.
        return Some(Parameter::Record {
            place: typed.pat.span(),
        });
    }
    let type_tokens = typed.ty.to_token_stream();
    if is_impl_trait(&typed.ty) {
        let message = if tokens::mention(type_tokens.clone(), &tokens::local("EventRecord")) {
            "mark this parameter `#[record]` to receive the event's record".to_owned()
        } else {
            let shown = compact(&type_tokens.to_string());
            format!("handlers are plain methods; write a type instead of `{shown}`")
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
                "name the field here, or write the whole pattern in `#[on(…)]`",
            );
            None
        }
        other => {
            errors.on(
                other,
                "name a binding of the pattern here, and take it apart in `#[on(…)]`",
            );
            None
        }
    }
}

/// Whether the type is `impl Trait` or a reference to it.
fn is_impl_trait(found: &Type) -> bool {
    match found {
        Type::ImplTrait(_) => true,
        Type::Reference(reference) => is_impl_trait(&reference.elem),
        Type::Paren(inside) => is_impl_trait(&inside.elem),
        _ => false,
    }
}

/// Every alternative has to bind the parameter. Returns whether they do.
fn check_bound(name: &Ident, alternatives: &[Alternative], errors: &mut Errors) -> bool {
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
            Some(closest) => format!("`{name}` is not bound by the pattern `{pattern}`; did you mean `{closest}`?"),
            None => format!("`{name}` is not bound by the pattern `{pattern}`; bind it there or drop the parameter"),
        },
    );
    false
}

/// Tokens as people write them: the compiler's own spelling puts spaces everywhere.
fn compact(tokens: &str) -> String {
    tokens
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" :", ":")
        .replace(" ,", ",")
        .replace("& ", "&")
}
