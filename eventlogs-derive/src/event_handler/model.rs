//! Second stage: the validated arms of the `match`.

pub(crate) mod interest;

use crate::errors::Errors;
use crate::event_handler::parse::ParsedBlock;
use crate::event_handler::parse::arguments::Ignored;
use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::handler::ParsedHandler;
use crate::event_handler::parse::kind::Kind;
use crate::event_handler::parse::pattern::Alternative;
use crate::library::Library;
use crate::spelling::spelled;
use crate::suggest;
use interest::InterestModel;
use proc_macro2::{Ident, Span};
use std::collections::HashMap;
use syn::{Path, Type};

/// The dispatch of one event enum to the methods of one aggregate or projection.
pub(crate) struct HandlerModel<'a> {
    /// The path of the event enum.
    pub(crate) event: Path,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// The arms that call a method.
    pub(crate) handlers: Vec<ParsedHandler<'a>>,
    /// The arms that do nothing.
    pub(crate) ignored: Ignored,
    /// `retired` in `ignore(…)`.
    pub(crate) retired: Option<Ident>,
    /// The variants with a handler.
    pub(crate) interest: InterestModel<'a>,
    /// The part that differs between aggregates and projections.
    pub(crate) target: Target<'a>,
}

/// Who handles the events.
pub(crate) enum Target<'a> {
    /// An aggregate or a row.
    Aggregate,
    /// A projection.
    Subscriber {
        /// The type of the context; `None` if no handler has one.
        context: Option<&'a Type>,
    },
}

/// Checks the handlers against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(
    parsed: ParsedBlock<'a>,
    block: &Block,
    errors: &mut Errors,
) -> Option<HandlerModel<'a>> {
    let ParsedBlock {
        event,
        ignored,
        retired,
        library,
        kind,
        handlers,
        any_on,
    } = parsed;
    if !any_on {
        check_empty(block, errors);
    }
    check_twice(&handlers, &ignored, errors);
    let target = match kind.kind {
        Kind::Aggregate => Target::Aggregate,
        Kind::Subscriber => Target::Subscriber {
            context: check_contexts(&handlers, errors),
        },
    };
    Some(HandlerModel {
        event: event?,
        library,
        interest: interest::of(&handlers, &ignored),
        handlers,
        ignored,
        retired,
        target,
    })
}

/// Records contexts of different types. Returns the type that all handlers have.
fn check_contexts<'a>(handlers: &[ParsedHandler<'a>], errors: &mut Errors) -> Option<&'a Type> {
    let mut contexts = handlers.iter().flat_map(ParsedHandler::contexts);
    let first = contexts.next()?;
    let spelling = spelled(first);
    for other in contexts.filter(|other| spelled(*other) != spelling) {
        errors.on(
            other,
            format!(
                "the context of another handler is a `{spelling}`; write one type for all handlers of the block"
            ),
        );
        errors.on(first, "first context here");
    }
    Some(first)
}

/// Records that the block has no handlers, with a hint if an attribute looks like a misspelled `on`.
fn check_empty(block: &Block, errors: &mut Errors) {
    match misspelled(block) {
        Some((span, name)) => errors.at(
            span,
            format!("no method here is marked `#[on(…)]`; did you mean `on` instead of `{name}`?"),
        ),
        None => errors.at(
            Span::call_site(),
            "no method here is marked `#[on(…)]`; mark the handlers or remove this attribute",
        ),
    }
}

/// The first attribute on a method that looks like a misspelled `on`.
pub(crate) fn misspelled(block: &Block) -> Option<(Span, String)> {
    let names = block
        .methods()
        .flat_map(|method| &method.attributes)
        .filter_map(|attribute| attribute.path().get_ident());
    names
        .map(|name| (name.span(), name.to_string()))
        .find(|(_, name)| name != "on" && suggest::closest(name, ["on"]).is_some())
}

/// Records variants that are completely handled or ignored, and then handled or ignored again.
///
/// The compiler's own check for unreachable patterns reports a partial overlap.
fn check_twice(handlers: &[ParsedHandler<'_>], ignored: &Ignored, errors: &mut Errors) {
    let mut complete: HashMap<&Ident, (Span, Option<&Ident>)> = HashMap::new();
    // Two handlers with different conditions may exclude each other, which only the compiler knows.
    for handler in handlers.iter().filter(|handler| !handler.is_conditional()) {
        let mut own: Vec<&Alternative> = Vec::new();
        for alternative in &handler.alternatives {
            let variant = &alternative.variant;
            if let Some((first, Some(method))) = complete.get(variant) {
                errors.at(
                    variant.span(),
                    format!(
                        "`{variant}` already has a handler; remove one, or merge the two bodies"
                    ),
                );
                errors.at(*first, format!("the first handler is `{method}`"));
            } else if alternative.is_irrefutable() {
                own.push(alternative);
            }
        }
        complete.extend(own.iter().map(|found| {
            (
                &found.variant,
                (found.variant.span(), Some(handler.method())),
            )
        }));
    }
    let Ignored::Listed(ignored) = ignored else {
        return;
    };
    for alternative in ignored {
        let variant = &alternative.variant;
        match complete.get(variant) {
            Some((first, Some(method))) => {
                errors.at(
                    variant.span(),
                    format!("`{variant}` already has a handler; remove the variant from `ignore(…)`, or remove the handler"),
                );
                errors.at(*first, format!("its handler is `{method}`"));
            }
            Some((first, None)) => {
                errors.at(variant.span(), format!("`{variant}` is ignored twice"));
                errors.at(*first, "first ignored here");
            }
            None if alternative.is_irrefutable() => {
                complete.insert(variant, (variant.span(), None));
            }
            None => {}
        }
    }
}
