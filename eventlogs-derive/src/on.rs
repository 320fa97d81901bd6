//! `#[on(…)]` outside a block of handlers, where no other macro reads it.

use crate::tokens;
use proc_macro2::{Span, TokenStream};

/// Reports where the attribute belongs, and emits the item unchanged.
pub(crate) fn expand(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    let message =
        "`#[on(…)]` works only inside an `impl` block marked `#[event_handler(YourEvent)]`";
    let mut output = syn::Error::new(Span::call_site(), message).into_compile_error();
    output.extend(tokens::without_attributes(item, &["record", "context"]));
    output
}
