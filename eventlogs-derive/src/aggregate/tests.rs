//! The output of the derive for correct, wrong and damaged items.

use super::derive;
use crate::mangle;
use proc_macro2::TokenStream;
use quote::quote;

/// An item that uses every feature.
fn everything() -> TokenStream {
    quote! {
        #[aggregate(event = events::PaymentEvent<T>, fingerprint = "2", crate = ::sourcing)]
        #[aggregate(cache(
            min_events = 1, max_events = MOST, every = 5, min_age = "1s", max_age = "7d", ttl = "1h", when = is_open
        ))]
        pub struct Payment<T> where T: Clone {
            amount: T,
        }
    }
}

#[test]
fn the_output_is_what_one_would_write_by_hand() {
    let item = quote! {
        #[aggregate(event = DoorEvent, cache(min_events = 10, max_events = MOST, ttl = "1h", when = is_open))]
        struct Door {
            open: bool,
        }
    };
    let expected = quote! {
        const _: () = ::core::assert!(MOST >= 10, "these rules never cache anything: `max_events` is below `min_events`");

        #[automatically_derived]
        impl ::eventlogs::Aggregate for Door {
            type Event = DoorEvent;

            const CACHE: ::eventlogs::CacheRules<Self> = {
                let when: fn(&::eventlogs::Aggregation<Self>) -> bool = is_open;
                ::eventlogs::CacheRules::always()
                    .min_events(10)
                    .max_events(MOST)
                    .ttl(::core::time::Duration::from_millis(3600000))
                    .when(when)
            };

            const NEEDS: ::eventlogs::EventNeeds = ::eventlogs::EventNeeds::new(
                <Self as ::eventlogs::EventHandler<DoorEvent>>::INTEREST,
                <Self as ::eventlogs::EventHandler<DoorEvent>>::USES_RECORD
            );

            fn name() -> &'static str {
                "Door"
            }

            fn retired(event: &DoorEvent) -> ::core::option::Option<&'static ::eventlogs::EventSchema> {
                use ::eventlogs::__private::RetiredEvents as _;
                (&::core::marker::PhantomData::<DoorEvent>).retired(event)
            }

            fn apply(&mut self, event_record: &impl ::eventlogs::EventRecord<DoorEvent>) {
                <Self as ::eventlogs::EventHandler<DoorEvent>>::handle(self, event_record)
            }
        }

        #[automatically_derived]
        impl ::eventlogs::CodeFingerprint for Door {
            fn code_fingerprint() -> u64 {
                use ::eventlogs::__private::SchemaFingerprint as _;
                ::eventlogs::__private::fingerprint(&[
                    15349640386952096983u64,
                    <Self as ::eventlogs::EventHandler<DoorEvent>>::handlers_fingerprint(),
                    (&::core::marker::PhantomData::<DoorEvent>).schema_fingerprint(),
                ])
            }
        }

        #[automatically_derived]
        impl ::eventlogs::WholeSnapshot for Door {}
    };
    assert_eq!(derive(item).to_string(), expected.to_string());
}

#[test]
fn what_serde_skips_is_not_whole() {
    let whole = |fields: TokenStream| {
        let item = quote! {
            #[aggregate(event = DoorEvent)]
            struct Door { open: bool, #fields }
        };
        derive(item).to_string().contains("WholeSnapshot")
    };
    for skipped in [
        quote!(#[serde(skip)] hours: u32),
        quote!(#[serde(default, skip_serializing)] hours: u32),
        quote!(#[serde(rename = "h")] #[serde(skip_deserializing, default = "noon")] hours: u32),
        quote!(#[serde(bound(serialize = "T: Copy"), skip)] hours: T),
    ] {
        assert!(!whole(skipped.clone()), "{skipped}");
    }
    for kept in [
        quote!(hours: u32),
        quote!(#[serde(default, skip_serializing_if = "Option::is_none")] hours: Option<u32>),
        quote!(#[serde(rename = "skip")] hours: u32),
        quote!(#[other(skip)] hours: u32),
    ] {
        assert!(whole(kept.clone()), "{kept}");
    }
    let skipped_in_a_variant = quote! {
        #[aggregate(event = DoorEvent)]
        enum Door { Open { #[serde(skip)] hours: u32 }, Closed }
    };
    assert!(
        !derive(skipped_in_a_variant)
            .to_string()
            .contains("WholeSnapshot")
    );
}

#[test]
fn a_renamed_library_is_named_nowhere() {
    let output = derive(everything()).to_string();
    assert!(
        !output.contains("eventlogs") && output.contains(":: sourcing :: Aggregate for"),
        "{output}"
    );
    assert!(!output.contains("compile_error"), "{output}");
}

#[test]
fn whatever_it_is_given_it_answers_with_rust() {
    mangle::assert_answered(&everything(), derive);
}
