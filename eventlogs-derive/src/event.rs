//! `#[derive(Event)]`: the stored names, versions and payloads of an enum's variants.

mod borrowed;
mod expand;
mod flatten;
mod log_type;
mod model;
mod names;
mod parse;
mod payload;
mod schema;
mod stub;
mod versions;

use crate::errors::Errors;
use proc_macro2::TokenStream;
use syn::DeriveInput;

/// The whole macro.
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
