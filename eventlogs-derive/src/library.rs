//! Where generated code finds the library.

use crate::tokens;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// The path of the library in generated code: what `crate = …` says, else `::eventlogs`.
#[derive(Clone, Default)]
pub(crate) struct Library {
    /// The user's own path.
    renamed: Option<Path>,
}

impl Library {
    /// The library under the name that the user gave it.
    pub(crate) fn renamed(path: &Path) -> Self {
        Self {
            renamed: Some(path.clone()),
        }
    }

    /// The path as if the user had written it at `place`, so that what is wrong with it is reported there.
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
