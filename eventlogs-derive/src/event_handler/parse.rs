//! First stage: the methods and the helper attributes on them.

pub(crate) mod arguments;
pub(crate) mod block;
pub(crate) mod condition;
mod conditional_parameters;
pub(crate) mod handler;
pub(crate) mod kind;
pub(crate) mod marks;
pub(crate) mod parameter;
pub(crate) mod pattern;
mod record;
pub(crate) mod removal;
mod signature;

use crate::errors::Errors;
use crate::library::Library;
use arguments::{Arguments, Ignored};
use block::{Block, Member, Method};
use handler::ParsedHandler;
use kind::{BlockKind, Kind};
use marks::is_called;
use syn::{Attribute, FnArg, Ident, Meta, Path};

/// The handlers of the block as they were written.
pub(crate) struct ParsedBlock<'a> {
    /// The path of the event enum.
    pub(crate) event: Option<Path>,
    /// The variants that need no handler.
    pub(crate) ignored: Ignored,
    /// `retired` in `ignore(…)`.
    pub(crate) retired: Option<Ident>,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// Who handles the events.
    pub(crate) kind: BlockKind,
    /// The methods with `#[on(…)]`, in order.
    pub(crate) handlers: Vec<ParsedHandler<'a>>,
    /// `true` if `#[on(…)]` occurs anywhere, in a right or wrong place.
    pub(crate) any_on: bool,
}

/// Reads all members of the block.
pub(crate) fn parse<'a>(
    arguments: Arguments,
    block: &'a Block,
    errors: &mut Errors,
) -> ParsedBlock<'a> {
    let mut handlers = Vec::new();
    let mut any_on = false;
    let kind = kind::of_block(block);
    refuse_second_enum(block, errors);
    for member in &block.members {
        any_on |= refuse_hidden(member, errors);
        match member {
            Member::Method(method) => {
                any_on |= method.is_handler();
                handlers.extend(method_handler(method, kind.kind, errors));
            }
            Member::Other(attributes, _) => {
                for attribute in attributes
                    .iter()
                    .filter(|attribute| is_called(attribute, "on"))
                {
                    any_on = true;
                    errors.on(
                        attribute,
                        "`#[on(…)]` marks a method; move it to the `fn` that handles the event",
                    );
                }
            }
        }
    }
    let Arguments {
        event,
        ignored,
        retired,
        library,
    } = arguments;
    if let Some(event) = &event {
        for handler in &handlers {
            handler.refuse_whole_event(event, errors);
        }
    }
    ParsedBlock {
        event,
        ignored,
        retired,
        library,
        kind,
        handlers,
        any_on,
    }
}

/// Reads a method as a handler, if it is marked as one.
fn method_handler<'a>(
    method: &'a Method,
    kind: Kind,
    errors: &mut Errors,
) -> Option<ParsedHandler<'a>> {
    let mut found = method
        .attributes
        .iter()
        .filter(|attribute| is_called(attribute, "on"));
    let Some(mark) = found.next() else {
        refuse_marked_parameters(method, errors);
        return None;
    };
    for second in found {
        errors.on(
            second,
            "`#[on(…)]` is given twice; join the patterns with `|`",
        );
        errors.on(mark, "first given here");
    }
    let alternatives = if let Some(tokens) = tokens(mark) {
        pattern::parse(tokens, "#[on(Captured { amount })]", errors)
    } else {
        let message = match &mark.meta {
            Meta::NameValue(_) => "write the pattern in parentheses, as in `#[on(Captured)]`",
            Meta::Path(_) | Meta::List(_) => {
                "the pattern is missing; write `#[on(Variant)]`, or a whole pattern"
            }
        };
        errors.on(mark, message);
        Vec::new()
    };
    Some(handler::parse(method, alternatives, kind, errors))
}

/// Refuses a second `#[event_handler(…)]` on the block, because the first one takes all handlers.
fn refuse_second_enum(block: &Block, errors: &mut Errors) {
    let names = &["event_handler"];
    for attribute in &block.header.attrs {
        if marks::is_or_hides(attribute, names) {
            errors.on(
                attribute,
                "a block handles the events of one enum; write a separate `impl` block for the other",
            );
        }
    }
}

/// Refuses marks inside `#[cfg_attr(…)]`. Returns `true` if there is an `#[on(…)]` among them.
fn refuse_hidden(member: &Member, errors: &mut Errors) -> bool {
    let (attributes, signature) = match member {
        Member::Method(method) => (&method.attributes, Some(&method.signature)),
        Member::Other(attributes, _) => (attributes, None),
    };
    let mut any_on = false;
    for attribute in attributes {
        if let Some(name) = marks::hidden(attribute, &["on"]) {
            any_on = true;
            errors.on(
                &name,
                "`#[on(…)]` is read before `#[cfg_attr(…)]` is evaluated; write two methods, each with a `#[cfg(…)]` and a plain `#[on(…)]`",
            );
        }
    }
    for input in signature.iter().flat_map(|signature| &signature.inputs) {
        let FnArg::Typed(parameter) = input else {
            continue;
        };
        for attribute in &parameter.attrs {
            if let Some(name) = marks::hidden(attribute, marks::OF_PARAMETERS) {
                errors.on(
                    &name,
                    format!("`#[{name}]` is read before `#[cfg_attr(…)]` is evaluated; write two methods, each with a `#[cfg(…)]` and a plain `#[{name}]`"),
                );
            }
        }
    }
    any_on
}

/// The tokens in the parentheses of the attribute.
fn tokens(attribute: &Attribute) -> Option<proc_macro2::TokenStream> {
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => Some(list.tokens.clone()),
        _ => None,
    }
}

/// Refuses marks on the parameters of a method that is not a handler.
fn refuse_marked_parameters(method: &Method, errors: &mut Errors) {
    for parameter in &method.signature.inputs {
        let FnArg::Typed(parameter) = parameter else {
            continue;
        };
        for name in marks::OF_PARAMETERS {
            let attributes = parameter.attrs.iter();
            for attribute in attributes.filter(|attribute| is_called(attribute, name)) {
                errors.on(
                    attribute,
                    format!("`#[{name}]` works only on a parameter of a method marked `#[on(…)]`"),
                );
            }
        }
    }
}
