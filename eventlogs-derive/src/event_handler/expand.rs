//! Third stage: the block without its marks, and the `match` that calls its methods.

mod arms;
mod checks;
mod full_patterns;
mod hashed_parts;
mod interest;
mod mentioned;
mod subscriber;

use crate::event_handler::model::interest::InterestModel;
use crate::event_handler::model::{HandlerModel, Target};
use crate::event_handler::parse::block::Block;
use crate::event_handler::parse::handler::ParsedHandler;
use crate::event_handler::parse::marks::{HELPERS, goes_along};
use crate::tokens;
use arms::Variables;
use hashed_parts::Part;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use subscriber::Subscription;
use syn::ItemImpl;
use syn::spanned::Spanned;

/// The complete output of the attribute.
pub(crate) fn expand(model: &HandlerModel<'_>, block: &Block) -> TokenStream {
    let attributes = block.header.attrs.iter();
    let attributes = attributes.filter(|attribute| goes_along(attribute));
    let variables = Variables {
        event_record: tokens::local("event_record"),
        context: tokens::local("context"),
    };
    let body = body(model, block, &variables);
    let fingerprint = fingerprint(model, block);
    let implementation = match &model.target {
        Target::Aggregate => aggregate(model, block, &variables, &body, &fingerprint),
        Target::Subscriber { context } => {
            let subscription = Subscription {
                model,
                block,
                context: *context,
            };
            subscriber::implementation(&subscription, &variables, &body, &fingerprint)
        }
    };
    let block = block.stripped(HELPERS, &TokenStream::new());
    quote! {
        #block

        #(#attributes)*
        #[automatically_derived]
        #implementation
    }
}

/// The implementation for an aggregate.
fn aggregate(
    model: &HandlerModel<'_>,
    block: &Block,
    variables: &Variables,
    body: &TokenStream,
    fingerprint: &TokenStream,
) -> TokenStream {
    let HandlerModel { event, library, .. } = model;
    let ItemImpl {
        generics, self_ty, ..
    } = &block.header;
    let (parameters, _, where_clause) = generics.split_for_impl();
    let event_record = &variables.event_record;
    // All variants are wanted by default.
    let interest = match model.interest {
        InterestModel::All => None,
        InterestModel::Except(_) | InterestModel::Only(_) => Some(interest::constant(model)),
    };
    // The record is used by default.
    let takes_record = model.handlers.iter().any(ParsedHandler::takes_record);
    let record = (!takes_record).then(|| {
        quote!(
            const USES_RECORD: bool = false;
        )
    });
    quote! {
        impl #parameters #library::EventHandler<#event> for #self_ty #where_clause {
            #interest
            #record

            #[allow(deprecated, unused_qualifications, reason = "a deprecated variant still has a handler; every variant is written with its enum")]
            #[deny(unreachable_patterns, reason = "a pattern that is never reached is a handler that never runs")]
            fn handle(&mut self, #event_record: &impl #library::EventRecord<#event>) {
                #body
            }

            #fingerprint
        }
    }
}

/// The `match` over the event, and what it needs.
fn body(model: &HandlerModel<'_>, block: &Block, variables: &Variables) -> TokenStream {
    let library = &model.library;
    let event_record = &variables.event_record;
    // The compiler reports a missing handler as a missing arm of this `match`, at the name of the type.
    let place = Span::mixed_site().located_at(block.header.self_ty.span());
    let matched = Ident::new("event", place);
    let arms = arms::arms(model, variables);
    let dispatch = quote_spanned!(place=> match #matched { #(#arms)* });
    let checks = checks::checks(model, block);
    quote! {
        #checks
        let #matched = #library::EventRecord::event(#event_record);
        #dispatch
    }
}

/// The function that returns the hash of the handlers.
fn fingerprint(model: &HandlerModel<'_>, block: &Block) -> TokenStream {
    let library = &model.library;
    let parts = hashed_parts::hashed_parts(model, block);
    let parts = parts
        .iter()
        .map(|Part { conditions, hash }| quote!(#conditions #hash));
    quote! {
        fn handlers_fingerprint() -> u64 {
            #library::__private::fingerprint(&[#(#parts),*])
        }
    }
}
