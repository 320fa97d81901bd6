//! The conditions of a handler's parameters, and the mistakes in them.

use crate::errors::Errors;
use crate::event_handler::parse::condition::Condition;
use crate::event_handler::parse::marks::{self, is_condition};
use crate::event_handler::parse::pattern::Alternative;
use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Pat, PatType, Signature};

/// Refuses a condition on `self`, because every handler has one.
pub(crate) fn check_receiver(signature: &Signature, errors: &mut Errors) {
    let Some(receiver) = signature.receiver() else {
        return;
    };
    for attribute in &receiver.attrs {
        if is_condition(attribute) {
            errors.on(
                attribute,
                "`self` cannot have a condition, as every handler takes it; put the condition on the method",
            );
        }
    }
}

/// Reads the condition of a parameter. Returns `Some(true)` if the parameter exists when the common condition holds,
/// `Some(false)` if it exists when that condition does not hold, and `None` if it always exists.
///
/// `common` is the condition of all conditional parameters, with the first of these parameters.
pub(crate) fn when<'a>(
    typed: &'a PatType,
    common: &mut Option<(&'a Pat, Condition)>,
    errors: &mut Errors,
) -> Option<bool> {
    for attribute in &typed.attrs {
        if let Some(name) = marks::hidden(attribute, &["cfg"]) {
            errors.on(
                &name,
                "the parameters of a handler are read before `#[cfg_attr(…)]` is evaluated; write a plain `#[cfg(…)]`",
            );
        }
    }
    let condition = Condition::read(&typed.attrs)?;
    let Some((first, known)) = common else {
        *common = Some((&typed.pat, condition));
        return Some(true);
    };
    let agrees = condition.agrees(known);
    if agrees.is_none() {
        let first = first.to_token_stream();
        errors.on(
            &condition.written,
            format!("all conditional parameters of a handler must use the same condition or its negation, but `{first}` has a different one; write several handlers, each with a `#[cfg(…)]`"),
        );
        errors.on(&known.written, "first condition here");
    }
    agrees
}

/// Checks that every alternative still matches the same without the binding of a parameter with a condition.
pub(crate) fn check_removable(
    name: &Ident,
    condition: &Condition,
    alternatives: &[Alternative],
    errors: &mut Errors,
) {
    if let Some(stuck) = alternatives
        .iter()
        .find(|alternative| !alternative.can_do_without(name))
    {
        let pattern = stuck.shown();
        errors.on(
            &condition.written,
            format!("`{pattern}` binds `{name}` by position, and a position cannot have a condition; write two handlers, each with a `#[cfg(…)]`"),
        );
    }
}
