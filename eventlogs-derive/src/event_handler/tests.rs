//! The output of the attribute for correct, wrong and damaged blocks.

use super::expand;
use crate::mangle;
use proc_macro2::TokenStream;
use quote::quote;

/// A block that uses every feature.
fn everything() -> TokenStream {
    quote! {
        /// Documented.
        #[cfg(unix)]
        impl<T: Clone> Payment<T> where T: Send {
            #![allow(dead_code)]
            pub const LEAST: u32 = { 1 };

            #[on(Authorized | Captured { amount, .. })]
            #[cfg(test)]
            fn take(&mut self, mut amount: T, #[record] record: &impl EventRecord<PaymentEvent<T>>) {
                self.amount = amount;
            }

            #[on(whole @ Refunded(Refund { reason: Some(reason), .. }, 1..=9))]
            fn refund(self: &mut Self, reason: &str, whole: &PaymentEvent<T>) -> () {}

            pub fn outstanding(&self) -> u64 { 0 }
        }
    }
}

/// Arguments that use every feature.
fn arguments() -> TokenStream {
    quote!(
        events::PaymentEvent<T>,
        ignore(Voided | Requested { amount: 0 }),
        crate = ::sourcing
    )
}

#[test]
fn the_output_is_what_one_would_write_by_hand() {
    let block = quote! {
        impl Door {
            #[on(Opened)]
            fn open(&mut self, by: &str, hours: u32) {
                self.open = true;
            }

            #[on(Closed(_))]
            fn close(&mut self, #[record] record: &impl EventRecord<DoorEvent>) {}

            pub fn is_open(&self) -> bool {
                self.open
            }
        }
    };
    let expected = quote! {
        impl Door {
            #[allow(clippy::missing_const_for_fn, reason = "a handler is a plain method")]
            fn open(&mut self, by: &str, hours: u32) {
                self.open = true;
            }

            #[allow(clippy::missing_const_for_fn, reason = "a handler is a plain method")]
            fn close(&mut self, record: &impl EventRecord<DoorEvent>) {}

            pub fn is_open(&self) -> bool {
                self.open
            }
        }

        #[automatically_derived]
        impl ::eventlogs::EventHandler<DoorEvent> for Door {
            const INTEREST: ::eventlogs::feed::Interest = ::eventlogs::feed::Interest::Except(&["Painted"]);

            #[allow(deprecated, unused_qualifications, reason = "a deprecated variant still has a handler; every variant is written with its enum")]
            #[deny(unreachable_patterns, reason = "a pattern that is never reached is a handler that never runs")]
            fn handle(&mut self, event_record: &impl ::eventlogs::EventRecord<DoorEvent>) {
                let _: [(); {
                    use ::eventlogs::__private::NoSchema as _;
                    let schema = ::eventlogs::__private::EventsOf::<DoorEvent>::SCHEMA;
                    ::eventlogs::__private::assert_all_named(schema, &["Opened", "Closed", "Painted"]);
                    ::eventlogs::__private::assert_named_fields(schema, 0usize, "Opened", &["by", "hours"]);
                    0
                }] = [];
                let event = ::eventlogs::EventRecord::event(event_record);
                match event {
                    (DoorEvent::Opened { by, hours, .. }) => Self::open(
                        self,
                        { let value: &str = by; value },
                        <u32 as ::eventlogs::__private::FieldValue<_>>::of(hours)
                    ),
                    (DoorEvent::Closed(_)) => Self::close(self, event_record),
                    (DoorEvent::Painted { .. }) => {}
                }
            }

            fn handlers_fingerprint() -> u64 {
                ::eventlogs::__private::fingerprint(&[
                    13719282935019811523u64, 253147472089360146u64, 8215080498982568861u64
                ])
            }
        }
    };
    let output = expand(quote!(DoorEvent, ignore(Painted)), block);
    assert_eq!(output.to_string(), expected.to_string());
}

#[test]
fn async_handlers_make_a_subscriber() {
    let block = quote! {
        impl<T: Rate> Doors<T> {
            #[on(Opened)]
            async fn open(&self, hours: u32, #[context] db: &mut Db) -> sqlx::Result<()> {}

            #[cfg(unix)]
            #[on(Ajar)]
            async fn open_hardly<'a>(&'a self, #[record] record: &FeedRecord<DoorEvent>) -> Result<(), Odd<'a>> {}
        }
    };
    let output = expand(quote!(DoorEvent, ignore(Painted)), block).to_string();
    for expected in [
        quote! {
            #[allow(clippy::future_not_send, clippy::unused_async, clippy::unused_self, reason = "a handler is `async` and takes `&self`")]
            async fn open(&self, hours: u32, db: &mut Db) -> sqlx::Result<()> {}
        },
        quote! {
            const INTEREST: ::eventlogs::feed::Interest = ::eventlogs::feed::Interest::Except(&["Painted"]);

            #[allow(deprecated, unused_qualifications, reason = "a deprecated variant still has a handler; every variant is written with its enum")]
            #[deny(unreachable_patterns, reason = "a pattern that is never reached is a handler that never runs")]
            async fn handle(
                &self,
                event_record: &::eventlogs::FeedRecord<DoorEvent>,
                context: &mut Db,
            ) -> ::core::result::Result<(), ::eventlogs::HandlerError> {
                let _: [(); {
                    use ::eventlogs::__private::NoSchema as _;
                    let schema = ::eventlogs::__private::EventsOf::<DoorEvent>::SCHEMA;
                    ::eventlogs::__private::assert_all_named(schema, &["Opened", #[cfg(unix)] "Ajar", "Painted"]);
                    ::eventlogs::__private::assert_named_fields(schema, 0usize, "Opened", &["hours"]);
                    0
                }] = [];
                let event = ::eventlogs::EventRecord::event(event_record);
                match event {
                    (DoorEvent::Opened { hours, .. }) =>
                        <sqlx::Result<()> as ::eventlogs::HandlerOutcome>::outcome(
                            Self::open(
                                self,
                                <u32 as ::eventlogs::__private::FieldValue<_>>::of(hours),
                                context
                            ).await
                        ),
                    #[cfg(unix)]
                    (DoorEvent::Ajar { .. }) =>
                        ::eventlogs::HandlerOutcome::outcome(Self::open_hardly(self, event_record).await),
                    (DoorEvent::Painted { .. }) => { ::core::result::Result::Ok(()) }
                }
            }
        },
    ] {
        assert!(
            output.contains(&expected.to_string()),
            "{expected}\n\n{output}"
        );
    }
    let header = "impl < T : Rate > :: eventlogs :: Subscriber < DoorEvent , Db > for Doors < T > \
        where Self : :: core :: marker :: Sync , DoorEvent : :: core :: marker :: Sync , {";
    assert!(output.contains(header), "{output}");
}

#[test]
fn handlers_without_context_run_with_any() {
    let block = quote! {
        impl Doors {
            #[cfg(unix)]
            #[on(Opened | Opened { hours: 0, .. })]
            async fn open(&self) {}
        }
    };
    let output = expand(quote!(DoorEvent, ignore(_)), block).to_string();
    for expected in [
        "impl < __C : :: core :: marker :: Send + ? :: core :: marker :: Sized > :: eventlogs :: Subscriber < DoorEvent , __C > for Doors {",
        "Interest :: Only (& [# [cfg (unix)] \"Opened\"])",
        "event_record : & :: eventlogs :: FeedRecord < DoorEvent > , _ : & mut __C ,",
        "_ => { :: core :: result :: Result :: Ok (()) }",
    ] {
        assert!(output.contains(expected), "{expected}\n\n{output}");
    }
}

#[test]
fn ignored_retired_variants_are_the_last_arm() {
    let block = quote! {
        impl Doors {
            #[on(Opened)]
            fn open(&mut self) {}
        }
    };
    for (arguments, arms) in [
        (
            quote!(events::DoorEvent<u8>, ignore(retired)),
            quote! {
                (events::DoorEvent::<u8>::Opened { .. }) => Self::open(self,),
                #[allow(unreachable_patterns, reason = "all retired variants may have handlers")]
                (events::DoorEvent!(events::DoorEvent::<u8>)) => {}
            },
        ),
        (
            quote!(DoorEvent, ignore(Closed | retired | Locked)),
            quote! {
                (DoorEvent::Opened { .. }) => Self::open(self,),
                (DoorEvent::Closed { .. } | DoorEvent::Locked { .. }) => {}
                #[allow(unreachable_patterns, reason = "all retired variants may have handlers")]
                (DoorEvent!(DoorEvent)) => {}
            },
        ),
    ] {
        let output = expand(arguments, block.clone()).to_string();
        assert!(output.contains(&arms.to_string()), "{arms}\n\n{output}");
    }
}

#[test]
fn a_condition_on_parameters_makes_two_arms() {
    let block = quote! {
        impl Door {
            #[cfg(unix)]
            #[on(Opened | Ajar { by: Some(by), hours, .. })]
            fn open(
                &mut self,
                by: &str,
                #[cfg(feature = "x")] hours: u32,
                #[cfg(feature = "x")] #[record] record: &impl EventRecord<DoorEvent>,
            ) {}
        }
    };
    let output = expand(quote!(DoorEvent, ignore(_)), block).to_string();
    for expected in [
        quote! {
            fn open(
                &mut self,
                by: &str,
                #[cfg(feature = "x")] hours: u32,
                #[cfg(feature = "x")] record: &impl EventRecord<DoorEvent>,
            ) {}
        },
        quote! {
            #[cfg(feature = "x")]
            #[cfg(unix)]
            (DoorEvent::Opened { by, hours, .. } | DoorEvent::Ajar { by: Some(by), hours, .. }) =>
                Self::open(
                    self,
                    { let value: &str = by; value },
                    <u32 as ::eventlogs::__private::FieldValue<_>>::of(hours),
                    event_record
                ),
            #[cfg(not(feature = "x"))]
            #[cfg(unix)]
            (DoorEvent::Opened { by, .. } | DoorEvent::Ajar { by: Some(by), .. }) =>
                Self::open(self, { let value: &str = by; value }),
        },
    ] {
        assert!(
            output.contains(&expected.to_string()),
            "{expected}\n\n{output}"
        );
    }
    assert!(
        output.contains(&quote!(#[cfg(unix)] #[cfg(feature = "x")]).to_string()),
        "{output}"
    );
}

#[test]
fn handlers_that_use_no_record_say_so() {
    let block = |record: TokenStream| {
        quote! {
            impl Door {
                #[on(Opened)]
                fn open(&mut self, by: &str, #record) {}

                #[on(Closed)]
                fn close(&mut self) {}
            }
        }
    };
    let unused = quote!(
        const USES_RECORD: bool = false;
    )
    .to_string();
    let output = |record| expand(quote!(DoorEvent), block(record)).to_string();
    let without = output(TokenStream::new());
    assert!(without.contains(&unused), "{without}");
    for used in [
        quote!(#[record] record: &impl EventRecord<DoorEvent>),
        // In some builds it is used.
        quote!(#[cfg(unix)] #[record] record: &impl EventRecord<DoorEvent>),
    ] {
        let with = output(used);
        assert!(!with.contains("USES_RECORD"), "{with}");
    }
}

#[test]
fn a_renamed_library_is_named_nowhere() {
    let output = expand(arguments(), everything()).to_string();
    assert!(
        !output.contains("eventlogs") && output.contains(":: sourcing :: EventHandler <"),
        "{output}"
    );
    assert!(!output.contains("compile_error"), "{output}");
}

#[test]
fn a_block_with_mistakes_stays_and_is_left_in_peace() {
    let block = quote! {
        impl Door {
            #[on(Opened)]
            async fn open(&mut self, #[record] record: u8) { self. }
        }
    };
    let output = expand(quote!(DoorEvent), block).to_string();
    let kept = quote! {
        impl Door {
            #[allow(clippy::future_not_send, clippy::unused_async, clippy::unused_self, reason = "a handler is `async` and takes `&self`")]
            async fn open(&mut self, record: u8) { self. }
        }
    };
    assert!(output.contains(&kept.to_string()), "{output}");
    assert!(
        output.contains(":: eventlogs :: EventHandler < DoorEvent > for Door"),
        "{output}"
    );
}

#[test]
fn whatever_it_is_given_it_answers() {
    for block in mangle::every_way(&everything()) {
        assert!(!expand(arguments(), block).is_empty());
    }
    mangle::assert_answered(&arguments(), |arguments| expand(arguments, everything()));
}
