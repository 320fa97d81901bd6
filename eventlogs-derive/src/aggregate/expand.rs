//! Third stage: the implementation of `Aggregate`.

use super::cache::{Deferred, Operand};
use super::model::{AggregateModel, FingerprintModel};
use super::parse::{Rule, Setting};
use crate::tokens;
use crate::values::{Length, Number};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Ident, Path};

/// The whole output of the derive.
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
    let cache = cache(model);
    let checks = model.deferred.iter().map(check);
    let event_record = tokens::local("event_record");
    let handler = handler(model, "handle");
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

            fn name() -> &'static str {
                #name
            }

            fn apply(&mut self, #event_record: &impl #library::EventRecord<#event>) {
                #handler(self, #event_record)
            }
        }

        #fingerprint

        #whole
    }
}

/// A function of the handlers.
///
/// Where there is no block of handlers for these events, the event type in the attribute is the place to say so.
fn handler(model: &AggregateModel<'_>, function: &str) -> TokenStream {
    let AggregateModel { library, event, .. } = model;
    let function = Ident::new(function, Span::call_site());
    tokens::located(
        &quote!(<Self as #library::EventHandler<#event>>::#function),
        event.span(),
    )
}

/// The implementation of `CodeFingerprint`: the type's own hash, its handlers' and its events'.
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
    // Whether generic events have stored names is known only where they are used. Of others the method call below
    // finds it out, so that events in memory need none.
    let bounds = (!generics.params.is_empty()).then(|| {
        let stored = mentions_parameter(model).then(|| quote!(#event: #library::Event,));
        quote!(Self: #library::EventHandler<#event>, #stored)
    });
    let where_clause = tokens::where_clause(generics, &bounds.unwrap_or_default());
    let handlers = handler(model, "handlers_fingerprint");
    let number = match fingerprint {
        FingerprintModel::Pinned(number) => quote!(#number),
        FingerprintModel::Hashed(hash) => quote! {
            use #library::__private::SchemaFingerprint as _;
            #library::__private::fingerprint(&[
                #hash,
                #handlers(),
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

/// Whether the event type depends on a parameter of the aggregate.
fn mentions_parameter(model: &AggregateModel<'_>) -> bool {
    let event = model.event.to_token_stream();
    let mut parameters = model.generics.params.iter();
    parameters.any(|parameter| {
        let name = match parameter {
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
            GenericParam::Lifetime(_) => return false,
        };
        tokens::mention(event.clone(), name)
    })
}

/// The policy, unless it is the trait's default.
fn cache(model: &AggregateModel<'_>) -> Option<TokenStream> {
    let library = &model.library;
    if model.rules.is_empty() {
        return None;
    }
    let never = model
        .rules
        .iter()
        .any(|rule| matches!(rule.setting, Setting::Never));
    let start = if never { quote!(never) } else { quote!(always) };
    let calls = model.rules.iter().filter_map(call);
    let value = quote!(#library::CacheRules::#start()#(#calls)*);
    let when = model.rules.iter().find_map(|rule| match &rule.setting {
        Setting::Function(path) => Some(typed(model, path)),
        _ => None,
    });
    let value = if when.is_some() {
        quote!({ #when #value })
    } else {
        value
    };
    Some(quote!(const CACHE: #library::CacheRules<Self> = #value;))
}

/// One rule as a call of its builder method.
fn call(rule: &Rule) -> Option<TokenStream> {
    let name = Ident::new(rule.name, Span::call_site());
    let value = match &rule.setting {
        Setting::Number(Number::Known(number, span)) => {
            let number = proc_macro2::Literal::u64_unsuffixed(*number);
            quote_spanned!(*span=> #number)
        }
        Setting::Number(Number::Constant(path)) | Setting::Length(Length::Constant(path)) => {
            path.to_token_stream()
        }
        Setting::Length(Length::Known(milliseconds, _)) => {
            let milliseconds = proc_macro2::Literal::u64_unsuffixed(*milliseconds);
            quote!(::core::time::Duration::from_millis(#milliseconds))
        }
        Setting::Function(_) => tokens::local("when").into_token_stream(),
        Setting::Never => return None,
    };
    Some(quote!(.#name(#value)))
}

/// The user's function as a value of the type that it must have: a wrong signature is reported at its path, without
/// mention of the builder.
fn typed(model: &AggregateModel<'_>, path: &Path) -> TokenStream {
    let library = &model.library;
    let when = tokens::local("when");
    let signature = quote!(fn(&#library::Aggregation<Self>) -> bool);
    let signature = tokens::located(&signature, path.span());
    quote!(let #when: #signature = #path;)
}

/// A comparison that the compiler makes.
fn check(deferred: &Deferred) -> TokenStream {
    let Deferred {
        greatest,
        least,
        message,
    } = deferred;
    let span = match (greatest, least) {
        (Operand::Constant(path), _) | (Operand::Number(_), Operand::Constant(path)) => path.span(),
        (Operand::Number(_), Operand::Number(_)) => Span::call_site(),
    };
    let (greatest, least) = (operand(greatest), operand(least));
    let assertion = quote_spanned!(span.resolved_at(Span::mixed_site())=> ::core::assert!(#greatest >= #least, #message));
    quote!(const _: () = #assertion;)
}

/// One side of a comparison.
fn operand(operand: &Operand) -> TokenStream {
    match operand {
        Operand::Number(number) => {
            proc_macro2::Literal::u64_unsuffixed(*number).into_token_stream()
        }
        Operand::Constant(path) => path.to_token_stream(),
    }
}

/// What the trait asks of a generic aggregate is left to those who use it: whether `Cart<I>` is `Clone` depends on `I`.
///
/// Of any other type it is known, and the compiler says what is missing.
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
