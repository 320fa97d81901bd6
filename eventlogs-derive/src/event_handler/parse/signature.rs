//! The mistakes in a handler's signature, apart from its parameters.

use crate::errors::Errors;
use crate::event_handler::parse::kind::{
    self, Kind, takes_mutable_reference, takes_shared_reference,
};
use crate::spelling::spelled;
use quote::ToTokens;
use syn::{GenericParam, ReturnType, Safety, Signature, Type};

/// Checks a signature against the kind of its block. Returns the kind that its parameters belong to.
pub(crate) fn check(signature: &Signature, block: Kind, errors: &mut Errors) -> Kind {
    let own = kind::of(signature).unwrap_or(block);
    check_qualifiers(signature, errors);
    if own != block {
        refuse_other_kind(signature, block, errors);
        return own;
    }
    match own {
        Kind::Aggregate => {
            check_not_async(signature, errors);
            check_changes(signature, errors);
            check_output(&signature.output, errors);
        }
        Kind::Subscriber => {
            check_async(signature, errors);
            check_shares(signature, errors);
        }
    }
    own
}

/// Refuses a handler of another kind than most handlers of its block.
fn refuse_other_kind(signature: &Signature, block: Kind, errors: &mut Errors) {
    let name = &signature.ident;
    match block {
        Kind::Aggregate => errors.on(
            name,
            format!(
                "`{name}` is written for a projection, and the other handlers for an aggregate, which cannot await; do the I/O before appending the event, or move `{name}` to another `impl` block"
            ),
        ),
        Kind::Subscriber => errors.on(
            name,
            format!(
                "`{name}` is written for an aggregate, and the other handlers for a projection; write `async fn {name}(&self, …)`, or move `{name}` to another `impl` block"
            ),
        ),
    }
}

/// Refuses qualifiers and type parameters: a handler is called from one place, with the fields of the event.
fn check_qualifiers(signature: &Signature, errors: &mut Errors) {
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
        let shown = spelled(&signature.generics);
        errors.on(
            &signature.generics,
            format!("handlers are plain methods; remove `{shown}`"),
        );
    }
}

/// Refuses an `async` handler of an aggregate.
fn check_not_async(signature: &Signature, errors: &mut Errors) {
    if let Some(asyncness) = &signature.asyncness {
        errors.on(
            asyncness,
            "handlers of an aggregate run whenever the log is reduced and cannot await; do the I/O before appending the event, or take `&self` if this is a projection",
        );
    }
}

/// Checks that the receiver is `&mut self`, because a handler changes the aggregate in place.
fn check_changes(signature: &Signature, errors: &mut Errors) {
    let message = "a handler changes the aggregate; take `&mut self`";
    match signature.receiver() {
        None => errors.on(&signature.ident, message),
        Some(receiver) if takes_mutable_reference(receiver) => {}
        Some(receiver) if takes_shared_reference(receiver) => errors.on(
            receiver,
            "a handler changes the aggregate; take `&mut self`, or write `async fn` if this is a projection",
        ),
        Some(receiver) => errors.on(receiver, message),
    }
}

/// Refuses a return value: an event that has happened cannot be refused, and no caller would use the value.
fn check_output(output: &ReturnType, errors: &mut Errors) {
    if let ReturnType::Type(_, found) = output
        && !matches!(&**found, Type::Tuple(tuple) if tuple.elems.is_empty())
    {
        let message = if may_refuse(found) {
            "a handler cannot refuse an event that has already happened; check before appending"
        } else {
            "a handler changes `self`, and nobody would get what it returns; remove the return type"
        };
        errors.on(found, message);
    }
}

/// Returns `true` if a handler with this type probably means to refuse events.
fn may_refuse(found: &Type) -> bool {
    match found {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "bool"
                || last.ident == "Option"
                || last.ident.to_string().ends_with("Result")
        }),
        _ => false,
    }
}

/// Checks that a handler of a projection is `async`.
fn check_async(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        let name = &signature.ident;
        errors.on(
            &signature.fn_token,
            format!("the handlers of a projection are `async`; write `async fn {name}`"),
        );
    }
}

/// Checks that the receiver is `&self`, because the handlers share the projection.
fn check_shares(signature: &Signature, errors: &mut Errors) {
    let message =
        "the handlers of a projection share it, and may run at the same time; take `&self`";
    match signature.receiver() {
        None => errors.on(&signature.ident, message),
        Some(receiver) if takes_shared_reference(receiver) => {}
        Some(receiver) => errors.on(receiver, message),
    }
}
