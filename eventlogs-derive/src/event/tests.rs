//! The output of the derive for correct, wrong and damaged items.

use super::{derive, model, parse};
use crate::errors::Errors;
use crate::mangle;
use proc_macro2::TokenStream;
use quote::quote;

/// The messages for an item with mistakes.
fn mistakes(item: TokenStream) -> Vec<String> {
    let input = syn::parse2(item).expect("the item is Rust");
    let mut errors = Errors::default();
    let parsed = parse::parse(&input, &mut errors);
    model::validate(parsed, &mut errors);
    errors.messages()
}

/// An item that uses every feature.
fn everything() -> TokenStream {
    quote! {
        #[event(codec = "msgpack", crate = ::sourcing, explicit_names, log_type = "payment", log_type_alias = "charge")]
        pub enum PaymentEvent<T> where T: Clone {
            #[event(name = "payment.authorized", version = 3, upcast(1 = from_v1, 2 = self::from_v2))]
            Authorized { #[serde(default)] amount: T, code: Option<Box<Self>> },
            #[event(name = "payment.refunded", alias = "payment.credited")]
            #[serde(rename_all = "camelCase")]
            Refunded(Refund, #[serde(with = "text")] u8),
            #[event(name = "payment.voided", accept(2 = voided_from_v2))]
            Voided,
            #[event(name = "payment.announced", retired)]
            Announced,
            #[event(flatten)]
            Shipping(ShippingEvent),
        }
    }
}

/// An item for the test of the exact output.
fn door() -> TokenStream {
    quote! {
        enum DoorEvent {
            #[event(name = "door.opened", alias = "opened", version = 2, upcast(1 = from_v1), accept(3 = from_v3))]
            Opened { by: String },
            Closed,
        }
    }
}

/// The payload types that the macro generates for `door`, with serde's derives.
fn twins_by_hand() -> TokenStream {
    quote! {
        #[derive(::eventlogs::__private::serde::Serialize)]
        #[serde(crate = ":: eventlogs :: __private :: serde", remote = "DoorEvent", untagged)]
        enum __Payload {
            Opened { by: String, },
            Closed {},
        }

        #[derive(::eventlogs::__private::serde::Deserialize)]
        #[serde(crate = ":: eventlogs :: __private :: serde", expecting = "the payload of `Opened`")]
        struct __ReadOpened { by: String, }

        #[derive(::eventlogs::__private::serde::Deserialize)]
        #[serde(crate = ":: eventlogs :: __private :: serde", expecting = "the payload of `Closed`")]
        struct __ReadClosed {}
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it shows the whole output")]
fn the_output_is_what_one_would_write_by_hand() {
    let twins = twins_by_hand();
    let expected = quote! {
        #[allow(
            dead_code, deprecated, non_camel_case_types, non_snake_case,
            reason = "the payloads repeat the names of the enum and are only used by serde"
        )]
        const _: () = {
            ::eventlogs::__private::codec::json!(__Codec);

            const _: () = {
                let () = <String as ::eventlogs::__private::Payload>::CHECKED;
            };

            #twins

            #[automatically_derived]
            impl ::eventlogs::Event for DoorEvent {
                type Codec = __Codec;

                const LOG_TYPE: ::eventlogs::LogType = ::eventlogs::LogType::new("door");

                const SCHEMA: &'static [::eventlogs::EventSchema] = &[
                    ::eventlogs::EventSchema::new(::eventlogs::EventType::new("door.opened", 2u16), "Opened")
                        .with_aliases(&["opened"])
                        .with_upcast_from(&[1u16])
                        .with_accepts(&[3u16])
                        .with_fields(&["by: String"]),
                    ::eventlogs::EventSchema::new(::eventlogs::EventType::new("Closed", 1u16), "Closed")
                ];

                fn event_type(&self) -> ::eventlogs::EventType {
                    match self {
                        Self::Opened { .. } => ::eventlogs::EventType::new("door.opened", 2u16),
                        Self::Closed { .. } => ::eventlogs::EventType::new("Closed", 1u16),
                    }
                }

                fn serialize_payload<__S: ::eventlogs::__private::serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    __Payload::serialize(self, serializer)
                }

                fn decode(
                    stored: &::eventlogs::__private::StoredPayload<'_>,
                ) -> ::core::result::Result<Self, ::eventlogs::__private::DecodeProblem> {
                    ::eventlogs::__private::decode(stored)
                }

                fn decode_with<__C: ::eventlogs::Codec>(
                    stored: &::eventlogs::__private::StoredPayload<'_>,
                ) -> ::core::result::Result<Self, ::eventlogs::__private::DecodeProblem> {
                    match (stored.name, stored.version) {
                        ("door.opened" | "opened", 2i32) => stored
                            .read::<__C, __ReadOpened>()
                            .map(|__ReadOpened { by }| Self::Opened { by }),
                        ("door.opened" | "opened", 1i32) =>
                            ::eventlogs::__private::upcast::<1u16, __C, _, Self>(stored, from_v1),
                        ("door.opened" | "opened", 3i32) =>
                            ::eventlogs::__private::accept::<3u16, __C, _, Self>(stored, from_v3),
                        ("Closed", 1i32) => stored
                            .read::<__C, __ReadClosed>()
                            .map(|__ReadClosed {}| Self::Closed {}),
                        _ => ::core::result::Result::Err(stored.unknown_event::<Self>()),
                    }
                }
            }
        };
    };
    assert_eq!(derive(door()).to_string(), expected.to_string());
}

#[test]
fn a_flattened_event_is_asked_for_everything() {
    let item = quote! {
        enum DoorEvent {
            #[event(flatten)]
            Lock(LockEvent),
            Closed,
        }
    };
    let output = derive(item).to_string();
    for expected in [
        quote! {
            enum __Payload {
                #[serde(skip)] Lock(LockEvent),
                Closed {},
            }
        },
        quote! {
            const __PARTS: &[&[::eventlogs::EventSchema]] = &[
                &::eventlogs::__private::flattened::<{ <LockEvent as ::eventlogs::Event>::SCHEMA.len() }>(
                    <LockEvent as ::eventlogs::Event>::SCHEMA
                ),
                &[::eventlogs::EventSchema::new(::eventlogs::EventType::new("Closed", 1u16), "Closed")]
            ];
            const _: () = ::eventlogs::__private::assert_distinct(__PARTS, 0usize);
        },
        quote! {
            const SCHEMA: &'static [::eventlogs::EventSchema] =
                &::eventlogs::__private::concat::<{ ::eventlogs::__private::count(__PARTS) }>(__PARTS);
        },
        quote!(Self::Lock(inner) => <LockEvent as ::eventlogs::Event>::event_type(inner),),
        quote! {
            match self {
                Self::Lock(inner) => <LockEvent as ::eventlogs::Event>::serialize_payload(inner, serializer),
                _ => __Payload::serialize(self, serializer)
            }
        },
        quote! {
            _ if stored.is_in(<LockEvent as ::eventlogs::Event>::SCHEMA) =>
                <LockEvent as ::eventlogs::Event>::decode_with::<__C>(stored).map(Self::Lock),
        },
    ] {
        assert!(
            output.contains(&expected.to_string()),
            "{expected}\n\n{output}"
        );
    }
}

#[test]
fn retired_variants_get_a_pattern_for_handlers() {
    let item = quote! {
        pub enum DoorEvent {
            #[event(retired)]
            Painted(u8),
            Opened,
            #[event(retired)]
            Oiled,
        }
    };
    let output = derive(item).to_string();
    for expected in [
        quote!(.with_fields(&["0: u8"]).retired()),
        quote! {
            macro_rules! __retired_DoorEvent {
                ($($event:tt)*) => { $($event)*::Painted { .. } | $($event)*::Oiled { .. } };
            }
        },
        quote!(
            pub(crate) use __retired_DoorEvent as DoorEvent;
        ),
    ] {
        assert!(
            output.contains(&expected.to_string()),
            "{expected}\n\n{output}"
        );
    }
}

#[test]
fn a_renamed_library_is_named_nowhere() {
    let output = derive(everything()).to_string();
    assert!(
        !output.contains("eventlogs") && output.contains(":: sourcing :: Event for"),
        "{output}"
    );
    assert!(!output.contains("compile_error"), "{output}");
}

#[test]
fn all_mistakes_of_an_item_are_found_at_once() {
    let item = quote! {
        #[event(codek = "json", name = "x")]
        enum DoorEvent<'a> {
            #[event(name = "a b", version = 0)]
            Opened { #[event(codec = "json")] by: &'a str },
            #[event(version = 2)]
            Closed,
            #[event(name = "Closed")]
            Shut,
        }
    };
    assert_eq!(
        mistakes(item),
        [
            "unknown key `codek`; did you mean `codec`?",
            "`name` belongs on a variant; move it down to one, or write `log_type` for the kind of the logs",
            "events are decoded into owned values; `DoorEvent<'a>` cannot borrow",
            "versions start at 1",
            "`codec` applies to the whole enum; move it up to the enum",
            "`a b` has a space; a stored name must consist of 1 to 128 of the characters `a-z A-Z 0-9 . _ -`",
            "version 2 also needs an upcaster from version 1; add `upcast(1 = …)`",
            "the stored name `Closed` already belongs to `Closed`",
            "first used here",
        ]
    );
}

#[test]
fn whatever_it_is_given_it_answers_with_rust() {
    mangle::assert_answered(&everything(), derive);
}
