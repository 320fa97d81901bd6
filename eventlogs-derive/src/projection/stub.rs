//! The code that is emitted with the mistakes: an implementation that does nothing, so that the rest of the crate compiles.

use crate::projection::parse::ParsedProjection;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// An implementation that wants no events.
pub(crate) fn stub(parsed: &ParsedProjection<'_>) -> TokenStream {
    let ParsedProjection { input, library, .. } = parsed;
    let (ident, generics) = (&input.ident, &input.generics);
    let (parameters, arguments, _) = generics.split_for_impl();
    let is_row = parsed.is_row == Some(true);
    let implemented = if is_row {
        quote!(#library::ProjectedRow)
    } else {
        quote!(#library::Projection)
    };
    // Only for generic types: on other types, an unmet bound would be a follow-up error.
    let bounds = (!generics.params.is_empty()).then(|| {
        if is_row {
            let serde = quote!(#library::__private::serde);
            quote! {
                Self: ::core::default::Default + ::core::clone::Clone + #serde::Serialize + #serde::de::DeserializeOwned
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            }
        } else {
            quote!(Self: ::core::marker::Send + ::core::marker::Sync + 'static,)
        }
    });
    let where_clause = tokens::where_clause(generics, &bounds.unwrap_or_default());
    let database = parsed
        .database
        .map_or("Elsewhere", |value| value.database.type_name());
    let database = Ident::new(database, Span::call_site());
    let items = if is_row {
        row(parsed)
    } else {
        projection(parsed, &database)
    };
    quote! {
        #[automatically_derived]
        impl #parameters #implemented for #ident #arguments #where_clause {
            type Database = #library::projection::#database;
            const NAME: &'static str = "";
            const SOURCES: &'static [#library::feed::Source] = &[];
            fn fingerprint() -> u64 {
                0
            }
            #items
        }
    }
}

/// The items that only a projection has.
fn projection(parsed: &ParsedProjection<'_>, database: &Ident) -> TokenStream {
    let library = &parsed.library;
    let outcome = quote!(::core::result::Result<(), #library::HandlerError>);
    quote! {
        fn apply(
            &self,
            _: &#library::FeedEvent,
            _: &mut <#library::projection::#database as #library::projection::Database>::Connection,
        ) -> impl ::core::future::Future<Output = #outcome> + ::core::marker::Send {
            ::core::future::ready(::core::result::Result::Ok(()))
        }
    }
}

/// The items that only a row has.
fn row(parsed: &ParsedProjection<'_>) -> TokenStream {
    let library = &parsed.library;
    quote! {
        type Key = #library::ids::LogId;
        const TABLE: &'static str = "";
        const KEY: &'static str = "";
        fn keys(
            _: &#library::FeedEvent,
        ) -> ::core::result::Result<#library::projection::RowKeys<Self::Key>, #library::HandlerError> {
            ::core::result::Result::Ok(#library::projection::RowKeys::none())
        }
        fn key(&self) -> &Self::Key {
            ::core::unimplemented!()
        }
        fn set_key(&mut self, _: Self::Key) {}
        fn apply(&mut self, _: &#library::FeedEvent) -> ::core::result::Result<(), #library::HandlerError> {
            ::core::result::Result::Ok(())
        }
    }
}
