//! `#[derive(Projection)]`: the events that a read model follows, and where its handlers write.

mod expand;
mod model;
mod parse;
mod stub;

use crate::errors::Errors;
use proc_macro2::TokenStream;
use syn::DeriveInput;

/// Expands the macro: the implementation, or the mistakes and a stub.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let parsed = parse::parse(&input, &mut errors);
    let stub = stub::stub(&parsed);
    match model::validate(parsed, &mut errors) {
        Some(model) if errors.is_empty() => expand::expand(&model),
        _ => {
            let mut output = errors.into_tokens();
            output.extend(stub);
            output
        }
    }
}

#[cfg(test)]
mod tests;
