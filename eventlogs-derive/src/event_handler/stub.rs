//! The code that is emitted with the mistakes, so that the rest of the crate compiles.

use crate::event_handler::model;
use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::marks::{HELPERS, goes_along};
use crate::library::Library;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemImpl, Path};

/// The unchanged block, and an implementation that does nothing.
pub(crate) fn stub(block: &Block, library: &Library, event: Option<&Path>) -> TokenStream {
    let ItemImpl {
        generics, self_ty, ..
    } = &block.header;
    let (_, _, where_clause) = generics.split_for_impl();
    let parameters = &generics.params;
    let separator = (!parameters.empty_or_trailing()).then(|| quote!(,));
    // Without a known event type, the stub handles every event type.
    let (any, event) = match event {
        Some(event) => (None, event.to_token_stream()),
        None => (Some(quote!(__E)), quote!(__E)),
    };
    let attributes = block
        .header
        .attrs
        .iter()
        .filter(|attribute| goes_along(attribute));
    let misspelled = model::misspelled(block).map(|(_, name)| name);
    let helpers: Vec<&str> = HELPERS
        .iter()
        .copied()
        .chain(misspelled.as_deref())
        .collect();
    let block = block.stripped(
        &helpers,
        &quote! {
            #[allow(dead_code, reason = "the dispatch that calls the handlers is missing")]
        },
    );
    quote! {
        #block

        #(#attributes)*
        #[automatically_derived]
        impl <#parameters #separator #any> #library::EventHandler<#event> for #self_ty #where_clause {
            fn handle(&mut self, _: &impl #library::EventRecord<#event>) {}
        }
    }
}
