//! The path of the library in generated code.

use crate::tokens;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// The path of the library in generated code: the value of `crate = …`, otherwise `::eventlogs`.
#[derive(Clone, Default)]
pub(crate) struct Library {
    /// The user's path, if one is given.
    renamed: Option<Path>,
}

impl Library {
    /// The library under the user's path.
    pub(crate) fn renamed(path: &Path) -> Self {
        Self {
            renamed: Some(path.clone()),
        }
    }

    /// The path with the span `place`, so that the compiler reports its errors there.
    pub(crate) fn written_at(&self, place: Span) -> TokenStream {
        if let Some(path) = &self.renamed {
            tokens::located(path, place)
        } else {
            quote_spanned!(place=> ::eventlogs)
        }
    }
}

impl ToTokens for Library {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.renamed {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::eventlogs)),
        }
    }
}
