//! Third stage: the implementation of `Projection`, or of `ProjectedRow`.

mod parts;
mod row;

use crate::contents::FingerprintModel;
use crate::library::Library;
use crate::projection::model::{CreateModel, ProjectionModel};
use crate::projection::parse::database::{Database, DatabaseValue};
use crate::tokens;
use parts::{Parts, connection, handlers, source_arms};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

/// The complete output of the derive.
pub(crate) fn expand(model: &ProjectionModel<'_>) -> TokenStream {
    let database = database_alias(model);
    let assertions = assertions(model);
    let parts = Parts {
        sources: sources(model),
        create: model.create.as_ref().map(create),
        fingerprint: fingerprint(model),
    };
    let implementation = match &model.row {
        Some(row) => row::implementation(model, row, &parts),
        None => projection(model, &parts),
    };
    quote! {
        const _: () = {
            #database

            #assertions

            #implementation
        };
    }
}

/// The implementation of `Projection`.
fn projection(model: &ProjectionModel<'_>, parts: &Parts) -> TokenStream {
    let ProjectionModel {
        ident,
        generics,
        library,
        name,
        ..
    } = model;
    let Parts {
        sources,
        create,
        fingerprint,
    } = parts;
    let (parameters, arguments, _) = generics.split_for_impl();
    let where_clause = tokens::where_clause(generics, &bounds(model));
    let apply = apply(model);
    quote! {
        #[automatically_derived]
        impl #parameters #library::Projection for #ident #arguments #where_clause {
            type Database = __Database;

            const NAME: &'static str = #name;

            const SOURCES: &'static [#library::feed::Source] = #sources;

            #create

            fn fingerprint() -> u64 {
                #fingerprint
            }

            #apply
        }
    }
}

/// A short name for the type that stands for the database. A database with a feature is named by a macro of the library, which
/// reports that the feature is missing.
///
/// All its tokens have the span of the database in the attribute, so that the compiler points there.
fn database_alias(model: &ProjectionModel<'_>) -> TokenStream {
    let DatabaseValue { database, span } = model.database;
    let library = model.library.written_at(span);
    match database {
        Database::Postgres | Database::Sqlite => {
            let name = Ident::new(database.name(), span);
            quote_spanned!(span=> #library::__private::database::#name!(__Database);)
        }
        Database::Elsewhere => {
            quote_spanned!(span=> type __Database = #library::projection::Elsewhere;)
        }
    }
}

/// The value of `SOURCES`.
fn sources(model: &ProjectionModel<'_>) -> TokenStream {
    let library = &model.library;
    let sources = model.events.iter().map(|event| {
        let new = source(library, event);
        let handlers = handlers(model, event);
        quote!(#new(#handlers::INTEREST))
    });
    quote!(&[#(#sources),*])
}

/// The function that makes the source of an enum.
fn source(library: &Library, event: &Type) -> TokenStream {
    tokens::located(&quote!(#library::feed::Source::new::<#event>), event.span())
}

/// The check that no two enums read one stored name.
fn assertions(model: &ProjectionModel<'_>) -> Option<TokenStream> {
    if model.events.len() < 2 || is_generic(model) {
        return None;
    }
    let library = &model.library;
    let sources = model.events.iter().map(|event| {
        let new = source(library, event);
        quote!(#new(#library::feed::Interest::All))
    });
    let name = Ident::new("__SOURCES", Span::call_site());
    let checks = model.events.iter().enumerate().map(|(index, event)| {
        let check = check(model, event, &name.to_token_stream(), index);
        quote!(const _: () = #check;)
    });
    Some(quote! {
        const #name: &[#library::feed::Source] = &[#(#sources),*];
        #(#checks)*
    })
}

/// Compares the stored names of enums that depend on type arguments, which are known only in a use of the projection.
fn late_assertions(model: &ProjectionModel<'_>) -> TokenStream {
    if model.events.len() < 2 || !is_generic(model) {
        return TokenStream::new();
    }
    let sources = quote!(Self::SOURCES);
    let checks = model.events.iter().enumerate().map(|(index, event)| {
        let check = check(model, event, &sources, index);
        quote!(const { #check };)
    });
    quote!(#(#checks)*)
}

/// The check of one enum against the others, with the span of the enum in the attribute.
fn check(
    model: &ProjectionModel<'_>,
    event: &Type,
    sources: &TokenStream,
    index: usize,
) -> TokenStream {
    let library = &model.library;
    let place = event.span().resolved_at(Span::mixed_site());
    let private = tokens::located(&quote!(#library::__private), place);
    let sources = tokens::located(sources, place);
    quote_spanned!(place=> #private::assert_distinct_sources(#sources, #index))
}

/// Returns `true` if an enum depends on a parameter of the projection.
fn is_generic(model: &ProjectionModel<'_>) -> bool {
    let mut events = model.events.iter();
    events.any(|event| tokens::depends_on(event, model.generics))
}

/// The value of `CREATE`.
fn create(create: &CreateModel) -> TokenStream {
    let text = match create {
        CreateModel::File(path) => quote_spanned!(path.span()=> ::core::include_str!(#path)),
        CreateModel::Statements(statements) => quote!(#statements),
    };
    quote! {
        const CREATE: ::core::option::Option<&'static str> = ::core::option::Option::Some(#text);
    }
}

/// The body of `fingerprint`: the hashes of the type, its statements, its events and its handlers.
fn fingerprint(model: &ProjectionModel<'_>) -> TokenStream {
    let library = &model.library;
    let hash = match &model.fingerprint {
        FingerprintModel::Pinned(number) => return quote!(#number),
        FingerprintModel::Hashed(hash) => hash,
    };
    let private = quote!(#library::__private);
    let create = model
        .create
        .as_ref()
        .map(|_| quote!(#private::text_fingerprint(Self::CREATE),));
    let events = model.events.iter().map(|event| {
        let handlers = handlers(model, event);
        quote! {
            (&::core::marker::PhantomData::<#event>).schema_fingerprint(),
            #handlers::handlers_fingerprint(),
        }
    });
    quote! {
        use #private::SchemaFingerprint as _;
        #private::fingerprint(&[#hash, #create #(#events)*])
    }
}

/// The function that passes an event to the handlers of its enum.
fn apply(model: &ProjectionModel<'_>) -> TokenStream {
    let library = &model.library;
    let connection = connection(model);
    let event = tokens::local("event");
    let context = tokens::local("context");
    let assertions = late_assertions(model);
    let arms = source_arms(model, |_, found| {
        // All of it has the span of the enum, so that the compiler reports everything that is wrong with it once.
        let place = Span::call_site().located_at(found.span());
        let handlers = handlers(model, found);
        let event = tokens::located(&event, place);
        let context = tokens::located(&context, place);
        Some(quote_spanned! {place=>
            #handlers::handle(self, &#event.decode::<#found>()?, #context).await
        })
    });
    quote! {
        async fn apply(
            &self,
            #event: &#library::FeedEvent,
            #context: &mut #connection,
        ) -> ::core::result::Result<(), #library::HandlerError> {
            #assertions
            match #event.source(Self::SOURCES) {
                #(#arms)*
                _ => ::core::result::Result::Ok(()),
            }
        }
    }
}

/// The bounds that a generic projection needs, because whether `Ledger<C>` has handlers depends on `C`.
///
/// Other types need no bounds: the compiler checks them directly and reports what is missing.
fn bounds(model: &ProjectionModel<'_>) -> TokenStream {
    if model.generics.params.is_empty() {
        return TokenStream::new();
    }
    let library = &model.library;
    let connection = connection(model);
    let events = &model.events;
    quote! {
        Self: ::core::marker::Send + ::core::marker::Sync + 'static #(+ #library::Subscriber<#events, #connection>)*,
        #(#events: #library::Event,)*
    }
}
