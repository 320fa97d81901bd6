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
