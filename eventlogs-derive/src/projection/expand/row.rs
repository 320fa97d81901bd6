//! The implementation of `ProjectedRow`.

use crate::library::Library;
use crate::projection::expand::parts::{Parts, handlers, source_arms};
use crate::projection::model::ProjectionModel;
use crate::projection::model::row::{FieldModel, RowModel};
use crate::tokens;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

/// The implementation.
pub(super) fn implementation(
    model: &ProjectionModel<'_>,
    row: &RowModel<'_>,
    parts: &Parts,
) -> TokenStream {
    let ProjectionModel {
        ident,
        library,
        name,
        ..
    } = model;
    let Parts {
        sources,
        create,
        fingerprint,
    } = parts;
    let FieldModel {
        ident: key,
        ty: key_type,
        column: key_column,
    } = &row.key;
    let table = &row.table;
    let keys = keys(model, row);
    let one_partition = row.by.iter().any(Option::is_some);
    let through = row.through.as_ref().map(|field| through(library, field));
    let keep = row.keep.as_ref().map(keep);
    let apply = apply(model);
    let resumable = resumable(model, row);
    // As a bound it is reported once; as the supertrait that it is, once per item.
    let content = tokens::located(
        &quote!(#ident: #library::projection::RowContent,),
        ident.span(),
    );
    quote! {
        #[automatically_derived]
        impl #library::ProjectedRow for #ident
        where
            #content
        {
            type Database = __Database;

            type Key = #key_type;

            const NAME: &'static str = #name;

            const TABLE: &'static str = #table;

            const KEY: &'static str = #key_column;

            const ONE_PARTITION: bool = #one_partition;

            const SOURCES: &'static [#library::feed::Source] = #sources;

            #create

            fn fingerprint() -> u64 {
                #fingerprint
            }

            #keys

            fn key(&self) -> &Self::Key {
                &self.#key
            }

            fn set_key(&mut self, key: Self::Key) {
                self.#key = key;
            }

            #through

            #keep

            #apply
        }

        #resumable
    }
}

/// The implementation of `ResumableRow`, for rows that know which events of their log they have.
fn resumable(model: &ProjectionModel<'_>, row: &RowModel<'_>) -> Option<TokenStream> {
    let ProjectionModel { ident, library, .. } = model;
    // A row that goes away takes the index along.
    let is_resumable = row.through.is_some() && row.keep.is_none();
    is_resumable.then(|| {
        quote! {
            #[automatically_derived]
            impl #library::projection::ResumableRow for #ident {}
        }
    })
}

/// The function that decides whether the row stays.
fn keep(function: &Path) -> TokenStream {
    // The whole call has the span of the function, so that the compiler points there.
    let place = at(function.span());
    let call = quote_spanned!(place=> #function(self));
    quote! {
        fn keep(&self) -> bool {
            #call
        }
    }
}

/// The function that returns the keys of an event.
fn keys(model: &ProjectionModel<'_>, row: &RowModel<'_>) -> TokenStream {
    let library = &model.library;
    let event = tokens::local("event");
    let place = at(row.key.ty.span());
    // With the span of the type of the key, so that the compiler points there if the type is wrong.
    let key_type = row.key.ty;
    let event_there = tokens::located(&event, place);
    let of_the_log = quote_spanned!(place=>
        ::core::result::Result::Ok(#library::projection::RowKeys::one(
            <#key_type as #library::__private::LogKey>::of_log(#event_there.log_id)
        ))
    );
    let arms = source_arms(model, |index, found| {
        let function = row.by.get(index)?.as_ref()?;
        let place = at(function.span());
        let event = tokens::located(&event, place);
        Some(quote_spanned!(place=>
            ::core::result::Result::Ok(#library::__private::EventKeys::<Self::Key>::row_keys(
                #function(&#event.decode::<#found>()?)
            ))
        ))
    });
    let body = if row.by.iter().all(Option::is_none) {
        of_the_log
    } else {
        let others = if row.by.iter().all(Option::is_some) {
            quote!(::core::result::Result::Ok(#library::projection::RowKeys::none()))
        } else {
            of_the_log
        };
        quote! {
            match #event.source(Self::SOURCES) {
                #(#arms)*
                _ => #others,
            }
        }
    };
    quote! {
        fn keys(
            #event: &#library::FeedEvent,
        ) -> ::core::result::Result<#library::projection::RowKeys<Self::Key>, #library::HandlerError> {
            #body
        }
    }
}

/// The items for the index of the last event.
fn through(library: &Library, field: &FieldModel<'_>) -> TokenStream {
    let FieldModel { ident, ty, column } = field;
    let place = at(ty.span());
    // With the span of the type, so that the compiler points there if the type is wrong.
    let last_index = quote_spanned!(place=> <#ty as #library::__private::LastIndex>);
    let get = quote_spanned!(place=> #last_index::get(&self.#ident));
    let set = quote_spanned!(place=> #last_index::set(&mut self.#ident, index););
    quote! {
        const THROUGH: ::core::option::Option<&'static str> = ::core::option::Option::Some(#column);

        fn through(&self) -> ::core::option::Option<u64> {
            #get
        }

        fn set_through(&mut self, index: u64) {
            #set
        }
    }
}

/// The function that passes an event to the handlers of its enum.
fn apply(model: &ProjectionModel<'_>) -> TokenStream {
    let library = &model.library;
    let event = tokens::local("event");
    let arms = source_arms(model, |_, found| {
        let place = at(found.span());
        let handlers = handlers(model, found);
        let event = tokens::located(&event, place);
        Some(quote_spanned!(place=>
            #handlers::change(self, &#event.decode::<#found>()?)
        ))
    });
    quote! {
        fn apply(
            &mut self,
            #event: &#library::FeedEvent,
        ) -> ::core::result::Result<(), #library::HandlerError> {
            match #event.source(Self::SOURCES) {
                #(#arms)*
                _ => {}
            }
            ::core::result::Result::Ok(())
        }
    }
}

/// A span at this place for tokens of the derive: `self` must be the one of its own functions.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}
