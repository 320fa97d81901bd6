//! The output of the derive for correct, wrong and damaged items.

use super::derive;
use crate::mangle;
use proc_macro2::TokenStream;
use quote::quote;

/// An item that uses every feature.
fn everything() -> TokenStream {
    quote! {
        #[projection(name = "ledger", events(events::PaymentEvent<T>, OrderEvent), fingerprint = "2")]
        #[projection(database = postgres, create = "ledger.sql", crate = ::sourcing)]
        pub struct Ledger<T> where T: Clone {
            currency: T,
        }
    }
}

#[test]
fn the_output_is_what_one_would_write_by_hand() {
    let item = quote! {
        #[projection(name = "ledger", events(PaymentEvent, OrderEvent), database = postgres, create = "ledger.sql")]
        struct Ledger {
            currency: String,
        }
    };
    let connection = quote!(<__Database as ::eventlogs::projection::Database>::Connection);
    let payment = quote!(<Self as ::eventlogs::Subscriber<PaymentEvent, #connection>>);
    let order = quote!(<Self as ::eventlogs::Subscriber<OrderEvent, #connection>>);
    let expected = quote! {
        const _: () = {
            ::eventlogs::__private::database::postgres!(__Database);

            const __SOURCES: &[::eventlogs::feed::Source] = &[
                ::eventlogs::feed::Source::new::<PaymentEvent>(::eventlogs::feed::Interest::All),
                ::eventlogs::feed::Source::new::<OrderEvent>(::eventlogs::feed::Interest::All)
            ];
            const _: () = ::eventlogs::__private::assert_distinct_sources(__SOURCES, 0usize);
            const _: () = ::eventlogs::__private::assert_distinct_sources(__SOURCES, 1usize);

            #[automatically_derived]
            impl ::eventlogs::Projection for Ledger {
                type Database = __Database;

                const NAME: &'static str = "ledger";

                const SOURCES: &'static [::eventlogs::feed::Source] = &[
                    ::eventlogs::feed::Source::new::<PaymentEvent>(#payment::INTEREST),
                    ::eventlogs::feed::Source::new::<OrderEvent>(#order::INTEREST)
                ];

                const CREATE: ::core::option::Option<&'static str> =
                    ::core::option::Option::Some(::core::include_str!("ledger.sql"));

                fn fingerprint() -> u64 {
                    use ::eventlogs::__private::SchemaFingerprint as _;
                    ::eventlogs::__private::fingerprint(&[
                        5388275456730972534u64,
                        ::eventlogs::__private::text_fingerprint(Self::CREATE),
                        (&::core::marker::PhantomData::<PaymentEvent>).schema_fingerprint(),
                        #payment::handlers_fingerprint(),
                        (&::core::marker::PhantomData::<OrderEvent>).schema_fingerprint(),
                        #order::handlers_fingerprint(),
                    ])
                }

                async fn apply(
                    &self,
                    event: &::eventlogs::FeedEvent,
                    context: &mut #connection,
                ) -> ::core::result::Result<(), ::eventlogs::HandlerError> {
                    match event.source(Self::SOURCES) {
                        ::core::option::Option::Some(0usize) =>
                            #payment::handle(self, &event.decode::<PaymentEvent>()?, context).await,
                        ::core::option::Option::Some(1usize) =>
                            #order::handle(self, &event.decode::<OrderEvent>()?, context).await,
                        _ => ::core::result::Result::Ok(()),
                    }
                }
            }
        };
    };
    assert_eq!(derive(item).to_string(), expected.to_string());
}

#[test]
fn all_mistakes_of_an_item_are_found_at_once() {
    let item = quote! {
        #[projection(name = "Ledger", events(A, A), databases = postgres, create = 5, shelf = "x")]
        struct Ledger;
    };
    let output = derive(item).to_string();
    for mistake in [
        "databases",
        "shelf",
        "cannot name",
        "given twice",
        "`create` takes",
    ] {
        assert!(output.contains(mistake), "{mistake}\n\n{output}");
    }
    assert!(!output.contains("is missing"), "{output}");
    assert!(
        output.contains("impl :: eventlogs :: Projection for Ledger"),
        "{output}"
    );
}

#[test]
fn a_renamed_library_is_named_nowhere() {
    let output = derive(everything()).to_string();
    assert!(
        !output.contains("eventlogs") && output.contains(":: sourcing :: Projection for"),
        "{output}"
    );
    assert!(!output.contains("compile_error"), "{output}");
}

/// A row that uses every feature.
fn row() -> TokenStream {
    quote! {
        #[projection(name = "payments", events(PaymentEvent, OrderEvent by orders::customer_of), table = "payments")]
        #[projection(database = sqlite, keep = Self::is_open, create = "payments.sql", crate = ::sourcing)]
        #[serde(rename_all = "camelCase")]
        pub struct PaymentRow {
            #[key]
            #[serde(rename(serialize = "id", deserialize = "id"))]
            log: LogId,
            note_text: Option<String>,
        }
    }
}

#[test]
fn a_row_is_no_projection() {
    let output = derive(row()).to_string();
    for part in [
        "impl :: sourcing :: ProjectedRow for PaymentRow",
        "type Key = LogId ;",
        "const KEY : & 'static str = \"id\"",
        "orders :: customer_of (& event . decode :: < OrderEvent > () ?)",
        "Self :: is_open (self)",
    ] {
        assert!(output.contains(part), "{part}\n\n{output}");
    }
    for strange in [
        "eventlogs",
        "compile_error",
        ":: Projection for",
        "async",
        "THROUGH",
    ] {
        assert!(!output.contains(strange), "{strange}\n\n{output}");
    }
}

#[test]
fn whatever_it_is_given_it_answers_with_rust() {
    mangle::assert_answered(&everything(), derive);
    mangle::assert_answered(&row(), derive);
}
