//! The implementation of `Subscriber` for a projection.

use crate::event_handler::expand::arms::Variables;
use crate::event_handler::expand::interest;
use crate::event_handler::model::HandlerModel;
use crate::event_handler::parse::block::Block;
use crate::tokens;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemImpl, Type};

/// The parts of the implementation.
pub(super) struct Subscription<'a> {
    /// The handlers.
    pub(super) model: &'a HandlerModel<'a>,
    /// The block.
    pub(super) block: &'a Block,
    /// The type of the context, if a handler has one.
    pub(super) context: Option<&'a Type>,
}

/// The implementation. `body` is the `match`.
pub(super) fn implementation(
    subscription: &Subscription<'_>,
    variables: &Variables,
    body: &TokenStream,
    fingerprint: &TokenStream,
) -> TokenStream {
    let HandlerModel { event, library, .. } = subscription.model;
    let ItemImpl {
        generics, self_ty, ..
    } = &subscription.block.header;
    let own = &generics.params;
    let Variables {
        event_record,
        context,
    } = variables;
    let (parameters, context_type, context) = if let Some(found) = subscription.context {
        let (parameters, _, _) = generics.split_for_impl();
        let parameters = parameters.to_token_stream();
        (
            parameters,
            found.to_token_stream(),
            context.to_token_stream(),
        )
    } else {
        // Handlers without a context run with any.
        let any = tokens::local("__C");
        let separator = (!own.empty_or_trailing()).then(|| quote!(,));
        let parameters = quote! {
            <#own #separator #any: ::core::marker::Send + ?::core::marker::Sized>
        };
        (parameters, any.to_token_stream(), quote!(_))
    };
    // Of other types the compiler knows whether they can be used by several threads.
    let bounds = (!own.is_empty())
        .then(|| quote!(Self: ::core::marker::Sync, #event: ::core::marker::Sync,));
    let where_clause = tokens::where_clause(generics, &bounds.unwrap_or_default());
    let interest = interest::constant(subscription.model);
    quote! {
        impl #parameters #library::Subscriber<#event, #context_type> for #self_ty #where_clause {
            #interest

            #[allow(deprecated, unused_qualifications, reason = "a deprecated variant still has a handler; every variant is written with its enum")]
            #[deny(unreachable_patterns, reason = "a pattern that is never reached is a handler that never runs")]
            async fn handle(
                &self,
                #event_record: &#library::FeedRecord<#event>,
                #context: &mut #context_type,
            ) -> ::core::result::Result<(), #library::HandlerError> {
                #body
            }

            #fingerprint
        }
    }
}
