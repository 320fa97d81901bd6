//! The signature of a handler, and the mistakes in it.

use crate::errors::Errors;
use crate::event_handler::parse::block::Method;
use crate::event_handler::parse::condition::Condition;
use crate::event_handler::parse::conditional_parameters as conditional;
use crate::event_handler::parse::marks::{goes_along, may_remove};
use crate::event_handler::parse::parameter::{self, Parameter};
use crate::event_handler::parse::pattern::{Alternative, FieldPatterns};
use crate::tokens::compact;
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{
    Attribute, FnArg, GenericParam, Receiver, ReceiverKind, ReturnType, Safety, Signature, Type,
};

/// A method with `#[on(…)]`.
pub(crate) struct ParsedHandler<'a> {
    /// Its name.
    pub(crate) method: &'a Ident,
    /// Its conditions, and the lints that are allowed in it.
    pub(crate) attributes: Vec<&'a Attribute>,
    /// The alternatives of its pattern.
    pub(crate) alternatives: Vec<Alternative>,
    /// Its parameters.
    pub(crate) parameters: Vec<Passed<'a>>,
    /// The condition that some of the parameters have.
    pub(crate) condition: Option<Condition>,
}

/// A parameter and its condition.
pub(crate) struct Passed<'a> {
    /// The parameter.
    pub(crate) parameter: Parameter<'a>,
    /// `Some(true)` if the parameter exists when the handler's condition holds, `Some(false)` if it exists when the condition
    /// does not hold, `None` if it always exists.
    pub(crate) when: Option<bool>,
}

impl ParsedHandler<'_> {
    /// Returns `true` if the handler exists only under a condition.
    pub(crate) fn is_conditional(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| may_remove(attribute))
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
            let parameter = parameter::parse(typed, bare, errors)?;
            if let Parameter::Bound { name, .. } = &parameter {
                let is_bound = parameter::check_bound(name, &alternatives, errors);
                if is_bound
                    && when.is_some()
                    && let Some(condition) = Condition::read(&typed.attrs)
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

/// Refuses qualifiers and type parameters: a handler is called synchronously, from one place, with the fields of the event.
fn check_qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(asyncness) = &signature.asyncness {
        errors.on(
            asyncness,
            "handlers run whenever the log is reduced and cannot await; do the I/O before appending the event",
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
    // A lifetime is allowed: it only names the lifetime that every reference parameter has.
    if signature
        .generics
        .params
        .iter()
        .any(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
    {
        let shown = signature.generics.to_token_stream();
        errors.on(
            &signature.generics,
            format!("handlers are plain methods; remove `{}`", compact(&shown)),
        );
    }
}

/// Checks that the receiver is `&mut self`, because a handler changes the aggregate in place.
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

/// Returns `true` for `&mut Self`, or a type that may be equal to it. The compiler checks the rest.
fn is_mutable_reference(found: &Type) -> bool {
    matches!(found, Type::Reference(reference) if reference.mutability.is_some())
}

/// Refuses a return value: an event that has happened cannot be refused, and no caller would use the value.
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
