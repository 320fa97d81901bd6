//! The code that is emitted with the mistakes: an empty implementation, so that the rest of the crate compiles.

use crate::aggregate::parse::ParsedAggregate;
use crate::tokens;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// An `impl Aggregate` that changes nothing, a fingerprint of 0, and `WholeSnapshot`. Without a known event type, the aggregate
/// is reduced from `()`.
pub(crate) fn stub(parsed: &ParsedAggregate<'_>) -> TokenStream {
    let ParsedAggregate { input, library, .. } = parsed;
    let (ident, generics) = (&input.ident, &input.generics);
    let (parameters, arguments, _) = generics.split_for_impl();
    let event = parsed
        .event
        .as_ref()
        .map_or_else(|| quote!(()), ToTokens::to_token_stream);
    // Only for generic types: on other types, an unmet bound would be a follow-up error.
    let bounds = (!generics.params.is_empty()).then(|| {
        quote! {
            Self: ::core::default::Default + ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync + 'static,
            #event: ::core::marker::Send + ::core::marker::Sync + 'static,
        }
    });
    let own_where_clause = &generics.where_clause;
    let where_clause = tokens::where_clause(generics, &bounds.unwrap_or_default());
    quote! {
        #[automatically_derived]
        impl #parameters #library::Aggregate for #ident #arguments #where_clause {
            type Event = #event;
            fn apply(&mut self, _: &impl #library::EventRecord<#event>) {}
        }

        #[automatically_derived]
        impl #parameters #library::CodeFingerprint for #ident #arguments #own_where_clause {
            fn code_fingerprint() -> u64 {
                0
            }
        }

        #[automatically_derived]
        impl #parameters #library::WholeSnapshot for #ident #arguments #own_where_clause {}
    }
}
