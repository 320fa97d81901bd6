//! The types of parameters that receive the record of an event.

use crate::errors::Errors;
use crate::event_handler::parse::kind::Kind;
use crate::spelling::spelled;
use crate::tokens;
use syn::{PathArguments, Type};

/// The message for a parameter with the type of a record and without the mark.
pub(super) const UNMARKED: &str =
    "the mark of this parameter is missing; add `#[record]` to receive the event's record";

/// Checks the type of a parameter that receives the record: a reference, and with `&mut self` one to `impl EventRecord<…>`,
/// because events that are folded have other records than events that are decided on.
pub(super) fn check(found: &Type, kind: Kind, errors: &mut Errors) {
    let inside = match tokens::ungrouped(found) {
        Type::Reference(reference) if reference.mutability.is_none() => {
            if kind == Kind::Subscriber || is_impl_trait(&reference.elem) {
                return;
            }
            &reference.elem
        }
        // Only the compiler knows what it stands for.
        Type::Macro(_) => return,
        Type::Reference(reference) => &reference.elem,
        other => other,
    };
    let message = if kind == Kind::Subscriber || is_impl_trait(inside) {
        let shown = spelled(inside);
        format!("a handler borrows the record; write `&{shown}`")
    } else {
        let event = event_of(inside);
        format!(
            "handlers with `&mut self` get records of several types; write `&impl EventRecord<{event}>`"
        )
    };
    errors.on(found, message);
}

/// The events in the type of a record, for messages.
fn event_of(record: &Type) -> String {
    if let Type::Path(record) = record
        && let Some(last) = record.path.segments.last()
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(event) = arguments.args.last()
    {
        return spelled(event);
    }
    "YourEvent".to_owned()
}

/// Returns `true` if the type is one of the library's records, or a reference to it. No field of an event has such a type.
pub(super) fn is_unmarked(found: &Type) -> bool {
    match tokens::ungrouped(found) {
        Type::Reference(reference) => is_unmarked(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            !last.arguments.is_none()
                && (last.ident == "RecordedEvent" || last.ident == "FeedRecord")
        }),
        _ => false,
    }
}

/// Returns `true` if the type is `impl Trait` or a reference to it.
pub(super) fn is_impl_trait(found: &Type) -> bool {
    match found {
        Type::ImplTrait(_) => true,
        Type::Reference(reference) => is_impl_trait(&reference.elem),
        Type::Paren(inside) => is_impl_trait(&inside.elem),
        _ => false,
    }
}
