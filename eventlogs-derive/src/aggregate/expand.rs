//! Third stage: the implementation of `Aggregate`.

mod policy;

use crate::aggregate::model::AggregateModel;
use crate::contents::FingerprintModel;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// The complete output of the derive.
pub(crate) fn expand(model: &AggregateModel<'_>) -> TokenStream {
    let AggregateModel {
        ident,
        library,
        event,
        ..
    } = model;
    let (parameters, arguments, _) = model.generics.split_for_impl();
    let where_clause = tokens::where_clause(model.generics, &bounds(model).unwrap_or_default());
    let name = ident.unraw().to_string();
    let cache = policy::cache(model);
    let checks = model.deferred.iter().map(policy::check);
    let event_record = tokens::local("event_record");
    let found = tokens::local("event");
    let [handle, interest, uses_record] =
        ["handle", "INTEREST", "USES_RECORD"].map(|item| handlers(model, item));
    let fingerprint = fingerprint(model);
    let own_where_clause = &model.generics.where_clause;
    let whole = model.whole.then(|| {
        quote! {
            #[automatically_derived]
            impl #parameters #library::WholeSnapshot for #ident #arguments #own_where_clause {}
        }
    });
    quote! {
        #(#checks)*

        #[automatically_derived]
        impl #parameters #library::Aggregate for #ident #arguments #where_clause {
            type Event = #event;

            #cache

            const NEEDS: #library::EventNeeds = #library::EventNeeds::new(#interest, #uses_record);

            fn name() -> &'static str {
                #name
            }

            fn retired(#found: &#event) -> ::core::option::Option<&'static #library::EventSchema> {
                use #library::__private::RetiredEvents as _;
                (&::core::marker::PhantomData::<#event>).retired(#found)
            }

            fn apply(&mut self, #event_record: &impl #library::EventRecord<#event>) {
                #handle(self, #event_record)
            }
        }

        #fingerprint

        #whole
    }
}

/// A function or a constant of the handlers.
///
/// It has the span of the event type in the attribute, so that the compiler reports a missing block of handlers there.
fn handlers(model: &AggregateModel<'_>, item: &str) -> TokenStream {
    let AggregateModel { library, event, .. } = model;
    let item = Ident::new(item, Span::call_site());
    tokens::located(
        &quote!(<Self as #library::EventHandler<#event>>::#item),
        event.span(),
    )
}

/// The implementation of `CodeFingerprint`, from the hashes of the type, its handlers and its events.
fn fingerprint(model: &AggregateModel<'_>) -> TokenStream {
    let AggregateModel {
        ident,
        generics,
        library,
        event,
        fingerprint,
        ..
    } = model;
    let (parameters, arguments, _) = generics.split_for_impl();
    // It is known only where generic events are used whether they have stored names, so they need a bound. For other events,
    // the method call below resolves it, so that events in memory need no stored names.
    let bounds = (!generics.params.is_empty()).then(|| {
        let stored = tokens::depends_on(event, generics).then(|| quote!(#event: #library::Event,));
        quote!(Self: #library::EventHandler<#event>, #stored)
    });
    let where_clause = tokens::where_clause(generics, &bounds.unwrap_or_default());
    let handlers_fingerprint = handlers(model, "handlers_fingerprint");
    let number = match fingerprint {
        FingerprintModel::Pinned(number) => quote!(#number),
        FingerprintModel::Hashed(hash) => quote! {
            use #library::__private::SchemaFingerprint as _;
            #library::__private::fingerprint(&[
                #hash,
                #handlers_fingerprint(),
                (&::core::marker::PhantomData::<#event>).schema_fingerprint(),
            ])
        },
    };
    quote! {
        #[automatically_derived]
        impl #parameters #library::CodeFingerprint for #ident #arguments #where_clause {
            fn code_fingerprint() -> u64 {
                #number
            }
        }
    }
}

/// The bounds that a generic aggregate needs, because whether `Cart<I>` is `Clone` depends on `I`.
///
/// Other types need no bounds: the compiler checks them directly and reports what is missing.
fn bounds(model: &AggregateModel<'_>) -> Option<TokenStream> {
    let AggregateModel {
        generics,
        library,
        event,
        ..
    } = model;
    (!generics.params.is_empty()).then(|| {
        quote! {
            Self: ::core::default::Default + ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync
                + #library::EventHandler<#event> + 'static,
            #event: ::core::marker::Send + ::core::marker::Sync + 'static,
        }
    })
}
