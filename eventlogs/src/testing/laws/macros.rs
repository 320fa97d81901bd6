//! Macros that make one test per law. They are exported at the root, hidden, and shown under their public names in
//! [`testing`](crate::testing).

/// Makes one test per law of an aggregate: applying never panics, two folds are equal, and a cached state to which the rest of
/// the events is applied equals the full fold.
///
/// Takes a name for the module of the tests, the aggregate, and an expression that returns histories: anything that iterates
/// over iterables of events. The aggregate must implement `PartialEq` and `Debug`. See [`testing::laws`](crate::testing::laws)
/// for a complete example.
///
/// ```
/// # mod example {
/// # use eventlogs::__example::{Counter, CounterEvent};
///
/// eventlogs::testing::aggregate_laws!(counter_laws, Counter, [
///     vec![],
///     vec![CounterEvent::Added { amount: 2 }, CounterEvent::Noted { text: "two".to_owned() }],
/// ]);
/// # }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __aggregate_laws {
    ($name:ident, $aggregate:ty, $histories:expr $(,)?) => {
        $crate::__law_tests! { $name, [$aggregate], $histories,
            applying_never_panics
            folds_are_equal
            cached_and_tail_is_the_full_fold
        }
    };
}

/// Makes one test per law of an aggregate that is cached outside the process: every state survives its snapshot, and equals the
/// full fold once the rest of the events is applied.
///
/// Takes the arguments of [`aggregate_laws!`](crate::testing::aggregate_laws). The aggregate must implement serde's traits,
/// too.
///
/// ```
/// # mod example {
/// # use eventlogs::__example::{Counter, CounterEvent};
///
/// eventlogs::testing::snapshot_laws!(counter_snapshot_laws, Counter, [[CounterEvent::Added { amount: 2 }]]);
/// # }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __snapshot_laws {
    ($name:ident, $aggregate:ty, $histories:expr $(,)?) => {
        $crate::__law_tests! { $name, [$aggregate], $histories,
            snapshots_come_back
            snapshot_and_tail_is_the_full_fold
        }
    };
}

/// Makes one test per law of stored events: there is a sample of each event, it survives its codec, and it is read under its
/// former names.
///
/// Takes a name for the module of the tests, the enum, and an expression that returns an iterable of events. The enum must
/// implement `PartialEq` and `Debug`. See [`testing::laws`](crate::testing::laws) for a complete example.
///
/// ```
/// # mod example {
/// # use eventlogs::__example::CounterEvent;
///
/// eventlogs::testing::event_laws!(counter_event_laws, CounterEvent, [
///     CounterEvent::Added { amount: 2 },
///     CounterEvent::Noted { text: "two".to_owned() },
/// ]);
/// # }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __event_laws {
    ($name:ident, $event:ty, $samples:expr $(,)?) => {
        $crate::__law_tests! { $name, [$event], $samples,
            samples_are_complete
            events_survive_their_codec
            former_names_are_read
        }
    };
}

/// Makes one test per law of the rows of a projection: any division of the events into pages gives the same rows.
///
/// Takes a name for the module of the tests, the row, and an expression that returns scenarios: anything that iterates over what
/// [`projected`](crate::testing::projected()) returns. The row must implement `PartialEq` and `Debug`.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
/// # mod example {
/// use eventlogs::ids::LogId;
/// use eventlogs::testing::laws::every_sequence;
/// use eventlogs::testing::{projected, projection_laws};
/// # use eventlogs::{Event, Projection, event_handler};
/// # #[derive(Debug, Clone, Event)]
/// # enum PaymentEvent { Captured { amount: u64 }, Settled }
/// # #[derive(Debug, Default, Clone, PartialEq, serde::Serialize, serde::Deserialize, Projection)]
/// # #[projection(name = "open", events(PaymentEvent), database = sqlite, table = "open", keep = Self::is_open)]
/// # struct OpenPayment { #[key] id: LogId, captured: u64, settled: bool }
/// # #[event_handler(PaymentEvent)]
/// # impl OpenPayment {
/// #     #[on(Captured)]
/// #     fn capture(&mut self, amount: u64) { self.captured += amount; }
/// #     #[on(Settled)]
/// #     fn settle(&mut self) { self.settled = true; }
/// # }
/// # impl OpenPayment { fn is_open(&self) -> bool { !self.settled } }
///
/// const SAMPLES: [PaymentEvent; 2] = [PaymentEvent::Captured { amount: 70 }, PaymentEvent::Settled];
///
/// projection_laws!(open_payment_laws, OpenPayment, every_sequence(SAMPLES, 4).into_iter().map(|events| {
///     projected().given(LogId::new(), events.clone()).given(LogId::new(), events)
/// }));
/// # }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __projection_laws {
    ($name:ident, $row:ty, $scenarios:expr $(,)?) => {
        $crate::__law_tests! { $name, [$row], $scenarios,
            any_pages_give_the_same_rows
        }
    };
}

/// Makes one test per law of a codec: it returns the value that it was given or refuses it, and accepts the types that every
/// event is made of.
///
/// Takes a name for the module of the tests, and the codec. The values are generated, and equal in every run.
///
/// ```
/// # mod example {
/// eventlogs::testing::codec_laws!(json_laws, eventlogs::codec::Json);
/// # }
/// # fn main() {}
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __codec_laws {
    ($name:ident, $codec:ty $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "the codec may be named by its full path")]
            use super::*;

            #[test]
            fn codec_brings_back_what_it_was_given() {
                $crate::testing::laws::codec_brings_back_what_it_was_given::<$codec>();
            }

            #[test]
            fn codec_takes_plain_values() {
                $crate::testing::laws::codec_takes_plain_values::<$codec>();
            }
        }
    };
}

/// Makes one `#[test]` per law.
#[macro_export]
#[doc(hidden)]
macro_rules! __law_tests {
    ($name:ident, $subject:tt, $input:expr, $($law:ident)*) => {
        mod $name {
            #[allow(unused_imports, reason = "the expression may name everything by its full path")]
            use super::*;

            $( $crate::__law_test! { $law, $subject, $input } )*
        }
    };
}

/// Makes the `#[test]` of one law. The type comes in brackets, as a group that can be passed on.
#[macro_export]
#[doc(hidden)]
macro_rules! __law_test {
    ($law:ident, [$subject:ty], $input:expr) => {
        #[test]
        fn $law() {
            $crate::testing::laws::$law::<$subject>($input);
        }
    };
}
