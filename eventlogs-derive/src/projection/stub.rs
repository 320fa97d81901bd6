//! The code that is emitted with the mistakes: an implementation that does nothing, so that the rest of the crate compiles.

use crate::projection::parse::ParsedProjection;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// An `impl Projection` that wants no events.
pub(crate) fn stub(parsed: &ParsedProjection<'_>) -> TokenStream {
    let ParsedProjection { input, library, .. } = parsed;
    let (ident, generics) = (&input.ident, &input.generics);
    let (parameters, arguments, _) = generics.split_for_impl();
    // Only for generic types: on other types, an unmet bound would be a follow-up error.
    let bounds = (!generics.params.is_empty())
        .then(|| quote!(Self: ::core::marker::Send + ::core::marker::Sync + 'static,));
    let where_clause = tokens::where_clause(generics, &bounds.unwrap_or_default());
    let database = parsed
        .database
        .map_or("Elsewhere", |value| value.database.type_name());
    let database = Ident::new(database, Span::call_site());
    let outcome = quote!(::core::result::Result<(), #library::HandlerError>);
    quote! {
        #[automatically_derived]
        impl #parameters #library::Projection for #ident #arguments #where_clause {
            type Database = #library::projection::#database;
            const NAME: &'static str = "";
            const SOURCES: &'static [#library::feed::Source] = &[];
            fn fingerprint() -> u64 {
                0
            }
            fn apply(
                &self,
                _: &#library::FeedEvent,
                _: &mut <#library::projection::#database as #library::projection::Database>::Connection,
            ) -> impl ::core::future::Future<Output = #outcome> + ::core::marker::Send {
                ::core::future::ready(::core::result::Result::Ok(()))
            }
        }
    }
}
