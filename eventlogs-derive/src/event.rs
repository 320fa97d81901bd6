//! `#[derive(Event)]`: the stored names, versions and payloads of an enum's variants.

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
    let library = parsed.library.clone();
    let model = model::validate(parsed, &mut errors);
    if errors.is_empty() {
        return expand::expand(&model);
    }
    let mut output = errors.into_tokens();
    output.extend(stub::stub(&input, &library));
    output
}

#[cfg(test)]
mod tests;
