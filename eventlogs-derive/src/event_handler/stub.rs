//! The code that is emitted with the mistakes, so that the rest of the crate compiles.

use crate::event_handler::model;
use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::kind::{BlockKind, Kind};
use crate::event_handler::parse::marks::{HELPERS, goes_along};
use crate::library::Library;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemImpl, Path};

/// The unchanged block, and an implementation that does nothing: two if it is uncertain who handles the events.
pub(crate) fn stub(
    block: &Block,
    library: &Library,
    event: Option<&Path>,
    kind: BlockKind,
) -> TokenStream {
    let misspelled = model::misspelled(block).map(|(_, name)| name);
    let helpers: Vec<&str> = HELPERS
        .iter()
        .copied()
        .chain(misspelled.as_deref())
        .collect();
    let stripped = block.stripped(
        &helpers,
        &quote! {
            #[allow(dead_code, reason = "the dispatch that calls the handlers is missing")]
        },
    );
    let is_needed = |needed| kind.kind == needed || !kind.is_certain;
    let aggregate = is_needed(Kind::Aggregate).then(|| aggregate(block, library, event));
    let subscriber = is_needed(Kind::Subscriber).then(|| subscriber(block, library, event));
    quote! {
        #stripped

        #aggregate

        #subscriber
    }
}

/// The implementation for an aggregate.
fn aggregate(block: &Block, library: &Library, event: Option<&Path>) -> TokenStream {
    // Without a known event type, the stub handles every event type.
    let (any, event) = match event {
        Some(event) => (None, event.to_token_stream()),
        None => (Some(quote!(__E)), quote!(__E)),
    };
    let implemented = quote!(#library::EventHandler<#event>);
    let functions = quote! {
        fn handle(&mut self, _: &impl #library::EventRecord<#event>) {}
    };
    implementation(block, any.as_ref(), &implemented, &functions)
}

/// The implementation for a projection, with any context.
fn subscriber(block: &Block, library: &Library, event: Option<&Path>) -> TokenStream {
    let (any, event) = match event {
        Some(event) => (quote!(__C: ?::core::marker::Sized), event.to_token_stream()),
        None => (quote!(__E, __C: ?::core::marker::Sized), quote!(__E)),
    };
    let implemented = quote!(#library::Subscriber<#event, __C>);
    let outcome = quote!(::core::result::Result<(), #library::HandlerError>);
    let functions = quote! {
        fn handle(
            &self,
            _: &#library::FeedRecord<#event>,
            _: &mut __C,
        ) -> impl ::core::future::Future<Output = #outcome> + ::core::marker::Send {
            ::core::future::ready(::core::result::Result::Ok(()))
        }
    };
    implementation(block, Some(&any), &implemented, &functions)
}

/// An implementation for the type of the block. `any` are further type parameters.
fn implementation(
    block: &Block,
    any: Option<&TokenStream>,
    implemented: &TokenStream,
    functions: &TokenStream,
) -> TokenStream {
    let ItemImpl {
        attrs,
        generics,
        self_ty,
        ..
    } = &block.header;
    let (_, _, where_clause) = generics.split_for_impl();
    let parameters = &generics.params;
    let separator = (!parameters.empty_or_trailing()).then(|| quote!(,));
    let attributes = attrs.iter().filter(|attribute| goes_along(attribute));
    quote! {
        #(#attributes)*
        #[automatically_derived]
        impl <#parameters #separator #any> #implemented for #self_ty #where_clause {
            #functions
        }
    }
}
