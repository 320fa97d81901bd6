//! `#[event_handler(YourEvent)]`: a block of methods as the arms of one `match`.

mod expand;
mod model;
mod parse;
mod stub;

use crate::errors::Errors;
use crate::tokens;
use parse::marks::HELPERS;
use parse::{arguments, block};
use proc_macro2::TokenStream;

/// Expands the macro: the block and its dispatch, or the mistakes and a stub.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = arguments::parse(arguments, &mut errors);
    let Some(block) = errors.keep(block::parse(item.clone())) else {
        // The item is emitted unchanged, so that the rest of the user's code still finds it.
        let mut output = errors.into_tokens();
        output.extend(tokens::without_attributes(item, HELPERS));
        return output;
    };
    let parsed = parse::parse(arguments, &block, &mut errors);
    let library = parsed.library.clone();
    let event = parsed.event.clone();
    let kind = parsed.kind;
    match model::validate(parsed, &block, &mut errors) {
        Some(model) if errors.is_empty() => expand::expand(&model, &block),
        _ => {
            let mut output = errors.into_tokens();
            output.extend(stub::stub(&block, &library, event.as_ref(), kind));
            output
        }
    }
}

#[cfg(test)]
mod tests;
