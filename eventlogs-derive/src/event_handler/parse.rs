//! First stage: the methods and the helper attributes on them.

use super::arguments::{Arguments, Ignored};
use super::block::{Block, Member, Method, is_called};
use super::handler::{self, ParsedHandler};
use super::pattern;
use crate::errors::Errors;
use crate::values::Library;
use quote::ToTokens;
use syn::{Attribute, FnArg, Meta, Path};

/// The block's handlers as they were written.
pub(crate) struct ParsedBlock<'a> {
    /// The path of the event enum.
    pub(crate) event: Option<Path>,
    /// What needs no handler.
    pub(crate) ignored: Ignored,
    /// Where generated code finds the library.
    pub(crate) library: Library,
    /// The methods with `#[on(…)]`, in order.
    pub(crate) handlers: Vec<ParsedHandler<'a>>,
    /// Whether `#[on(…)]` occurs anywhere, rightly or wrongly.
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
    for member in &block.members {
        match member {
            Member::Method(method) => {
                any_on |= method.is_handler();
                handlers.extend(method_handler(method, errors));
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
        library,
    } = arguments;
    ParsedBlock {
        event,
        ignored,
        library,
        handlers,
        any_on,
    }
}

/// The handler that a method is, if it is one.
fn method_handler<'a>(method: &'a Method, errors: &mut Errors) -> Option<ParsedHandler<'a>> {
    let mut marks = method
        .attributes
        .iter()
        .filter(|attribute| is_called(attribute, "on"));
    let Some(mark) = marks.next() else {
        refuse_record(method, errors);
        return None;
    };
    for second in marks {
        errors.on(
            second,
            "`#[on(…)]` is given twice; join the patterns with `|`",
        );
        errors.on(mark, "first given here");
    }
    let alternatives = if let Some(tokens) = tokens(mark) {
        pattern::parse(tokens, "#[on(Captured { amount })]", errors)
    } else {
        errors.on(
            mark,
            "which events? write `#[on(Variant)]`, or a whole pattern",
        );
        Vec::new()
    };
    Some(handler::parse(method, alternatives, errors))
}

/// What stands in the parentheses of the attribute.
fn tokens(attribute: &Attribute) -> Option<proc_macro2::TokenStream> {
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => Some(list.tokens.clone()),
        _ => None,
    }
}

/// `#[record]` on a parameter of a method that handles nothing.
fn refuse_record(method: &Method, errors: &mut Errors) {
    for parameter in &method.signature.inputs {
        if let FnArg::Typed(parameter) = parameter {
            for attribute in parameter
                .attrs
                .iter()
                .filter(|attribute| is_called(attribute, "record"))
            {
                errors.on(
                    &attribute.to_token_stream(),
                    "`#[record]` only has a meaning on a parameter of a method marked `#[on(…)]`",
                );
            }
        }
    }
}
