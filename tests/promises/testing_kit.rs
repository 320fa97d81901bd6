//! The test kit for users: the tests that it passes, the tests that it fails, and its messages. A law that cannot be broken is
//! worth nothing, so each law runs on an aggregate that breaks it.

use crate::payments::{Payment, PaymentEvent, refund};
use eventlogs::codec::{DecodeProblem, StoredPayload};
use eventlogs::ids::{EventId, LogId};
use eventlogs::testing::{given, given_records, laws};
use eventlogs::{
    Aggregate, CreateOptions, DecideOptions, Event, EventRecord, EventSchema, EventType,
    LogManager, LogManagerOptions, LogType, MemoryAggregationCache, RecordedEvent, event_handler,
};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Returns the message of a test that fails.
fn failure<T>(test: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(test)) else {
        panic!("it passed");
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}

const CAPTURED: PaymentEvent = PaymentEvent::Captured { amount: 100 };

/// A decision as `LogManager::decide` takes it.
fn give_back(amount: u64) -> impl FnMut(&Payment) -> Result<Vec<PaymentEvent>, TooMuch> {
    move |payment| match payment.outstanding() {
        _ if amount == 0 => Ok(vec![]),
        outstanding if outstanding < amount => Err(TooMuch { outstanding }),
        _ => Ok(vec![refund(amount)]),
    }
}

#[derive(Debug, PartialEq)]
struct TooMuch {
    outstanding: u64,
}

mod scenarios {
    use super::*;

    #[tokio::test]
    async fn a_decision_is_tested_as_production_runs_it() {
        given([CAPTURED])
            .when(give_back(30))
            .then([refund(30)])
            .when(give_back(71))
            .then_error(TooMuch { outstanding: 70 })
            .when(give_back(0))
            .then_nothing()
            .reduces_to(Payment {
                captured: 100,
                refunded: 30,
                ..Payment::default()
            });

        let payments = LogManager::<Payment>::new(
            eventlogs::stores::fake::FakeEventStore::new(),
            MemoryAggregationCache::default(),
            LogManagerOptions::default(),
        );
        let log_id = LogId::new();
        payments
            .create(&log_id, &CAPTURED, &CreateOptions::default())
            .await
            .unwrap();
        let options = DecideOptions::default();
        let decided = payments.decide(&log_id, &options, give_back(30)).await;
        assert_eq!(
            decided.unwrap().aggregation().aggregate(),
            &given([CAPTURED])
                .when(give_back(30))
                .then([refund(30)])
                .aggregate()
        );
    }

    #[test]
    fn an_empty_history_is_the_default_state() {
        given::<Payment>([]).reduces_to(Payment::default());
        given([])
            .when(give_back(1))
            .then_error(TooMuch { outstanding: 0 });
    }

    #[test]
    fn several_decisions_follow_each_other() {
        given([CAPTURED])
            .when(give_back(30))
            .and_when(give_back(70))
            .reduces_to(Payment {
                captured: 100,
                refunded: 100,
                ..Payment::default()
            })
            .and_given([CAPTURED])
            .when(give_back(100))
            .then_matches(|events| matches!(events, [PaymentEvent::Refunded(_)]));
    }

    #[test]
    fn other_events_than_expected_are_shown_line_by_line() {
        let message = failure(|| {
            given::<Payment>([])
                .when(|_| Ok::<_, TooMuch>([PaymentEvent::Voided, refund(70), CAPTURED]))
                .then([PaymentEvent::Voided, refund(71)])
        });
        assert_eq!(
            message,
            "\
the decision returned other events than expected
(- expected, + found)

    event 0
        Voided
--> event 1 differs
        Refunded(
            Refund {
  -             amount: 71,
  +             amount: 70,
                note: \"\",
            },
        )
    event 2 is one too many
  +     Captured {
  +         amount: 100,
  +     }
"
        );
        let message = failure(|| given([CAPTURED]).when(give_back(0)).then([refund(1)]));
        assert!(
            message.contains("\n--> event 0 is missing\n  -     Refunded(\n"),
            "{message}"
        );
    }

    #[test]
    fn an_unexpected_refusal_is_shown_beside_what_was_expected() {
        let message = failure(|| given([]).when(give_back(1)).then([refund(1)]));
        assert!(
            message.starts_with("the decision was refused, but was expected to return 1 event\n"),
            "{message}"
        );
        assert!(message.contains("\n  -         Refunded(\n"), "{message}");
        assert!(
            message.ends_with("\n  +     TooMuch {\n  +         outstanding: 0,\n  +     }\n"),
            "{message}"
        );
        for message in [
            failure(|| given([]).when(give_back(1)).then_nothing()),
            failure(|| given([]).when(give_back(1)).then_matches(|_| true)),
            failure(|| given([]).when(give_back(1)).reduces_to(Payment::default())),
            failure(|| given([]).when(give_back(1)).and_when(give_back(0)).then([])),
        ] {
            assert!(
                message
                    .starts_with("the decision was refused, but no refusal was expected\nfound:"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_missing_refusal_shows_the_events() {
        for message in [
            failure(|| {
                given([CAPTURED])
                    .when(give_back(1))
                    .then_error(TooMuch { outstanding: 0 })
            }),
            failure(|| {
                given([CAPTURED])
                    .when(give_back(1))
                    .then_error_matches(|_| true)
            }),
        ] {
            assert!(
                message.starts_with("the decision returned 1 event, but a refusal was expected\n"),
                "{message}"
            );
            assert!(message.contains("Refunded("), "{message}");
        }
    }

    #[test]
    fn another_refusal_than_expected_is_shown() {
        let other = TooMuch { outstanding: 4 };
        let message = failure(|| given([]).when(give_back(1)).then_error(other));
        assert!(
            message.contains("\n  -         outstanding: 4,\n  +         outstanding: 0,\n"),
            "{message}"
        );
        let none = |refusal: &TooMuch| refusal.outstanding > 0;
        let message = failure(|| given([]).when(give_back(1)).then_error_matches(none));
        assert!(
            message.starts_with("the decision was refused for another reason"),
            "{message}"
        );
    }

    #[test]
    fn events_where_none_or_others_were_expected_are_shown() {
        let message = failure(|| given([CAPTURED]).when(give_back(1)).then_nothing());
        assert!(
            message.starts_with("the decision returned 1 event, but none was expected\nfound:"),
            "{message}"
        );
        let message = failure(|| {
            given([CAPTURED])
                .when(give_back(1))
                .then_matches(|events| events.is_empty())
        });
        assert!(message.contains("Refunded("), "{message}");
    }

    #[test]
    fn another_state_than_expected_is_shown() {
        let message = failure(|| given([CAPTURED]).reduces_to(Payment::default()));
        assert_eq!(
            message,
            "\
the events so far reduce to another state than expected
(- expected, + found)

        Payment {
            requested: 0,
  -         captured: 0,
  +         captured: 100,
            refunded: 0,
            voided: 0,
            notes: \"\",
        }
"
        );
    }

    #[test]
    fn what_looks_alike_but_is_not_equal_is_said_to_be_so() {
        let message = failure(|| {
            given::<Payment>([])
                .when(|_| Ok::<_, TooMuch>([PaymentEvent::Rated(f64::NAN)]))
                .then([PaymentEvent::Rated(f64::NAN)])
        });
        assert!(message.contains("--> event 0 differs"), "{message}");
        assert!(message.contains("they are not equal by `==`"), "{message}");
    }

    #[test]
    fn equal_lines_far_from_a_difference_are_left_out() {
        #[derive(Debug, Default, Clone, PartialEq)]
        struct Numbers(Vec<u64>);
        impl Aggregate for Numbers {
            type Event = u64;
            fn apply(&mut self, event_record: &impl EventRecord<u64>) {
                self.0.push(*event_record.event());
            }
        }
        let expected = Numbers((1..100).map(|number| number.max(50)).collect());
        let given = given((1..100).map(|number| if number == 70 { 0 } else { number.max(50) }));
        let message = failure(|| given.reduces_to(expected));
        assert!(message.contains("\n        …\n"), "{message}");
        assert!(
            message.contains("\n  -             70,\n  +             0,\n"),
            "{message}"
        );
        assert!(message.lines().count() < 20, "{message}");
    }

    #[test]
    fn a_failure_is_reported_where_the_expectation_is_written() {
        let place = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&place);
        let this_thread = std::thread::current().id();
        let before = Arc::new(std::panic::take_hook());
        let forward = Arc::clone(&before);
        std::panic::set_hook(Box::new(move |panic| {
            // Other tests of this process panic, too.
            if std::thread::current().id() == this_thread {
                let line = panic.location().map_or(0, std::panic::Location::line);
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = line;
            } else {
                forward(panic);
            }
        }));
        failure(|| given([CAPTURED]).when(give_back(1)).then([CAPTURED]));
        let expected = line!() - 1;
        std::panic::set_hook(Box::new(move |panic| before(panic)));
        assert_eq!(*place.lock().unwrap(), expected);
    }

    #[test]
    fn a_decision_that_uses_up_what_it_captured_is_found_out() {
        let mut events = vec![CAPTURED];
        let message = failure(|| {
            given([])
                .when(move |_: &Payment| Ok::<_, TooMuch>(std::mem::take(&mut events)))
                .then_matches(|_| true)
        });
        assert!(
            message.contains("returned 1 event and then no event"),
            "{message}"
        );
    }
}

mod records {
    use super::*;

    /// Every field of a record.
    #[derive(Debug, Default, Clone, PartialEq)]
    struct Journal(Vec<String>);

    impl Aggregate for Journal {
        type Event = Opaque;

        fn apply(&mut self, event_record: &impl EventRecord<Opaque>) {
            self.0.push(format!(
                "{} {} {} {} {:?}",
                event_record.log_id(),
                event_record.index(),
                event_record.event_id(),
                event_record.recorded_at(),
                event_record.occurred_at()
            ));
        }
    }

    #[derive(Debug)]
    struct Opaque;

    #[test]
    fn events_need_no_derives_where_none_are_shown_or_compared() {
        struct Bare;
        #[derive(Debug, Default, Clone, PartialEq)]
        struct Count(u64);
        impl Aggregate for Count {
            type Event = Bare;
            fn apply(&mut self, _: &impl EventRecord<Bare>) {
                self.0 += 1;
            }
        }
        given([Bare])
            .when(|_: &Count| Ok::<_, ()>([Bare]))
            .and_when(|_| Ok::<_, ()>(Some(Bare)))
            .reduces_to(Count(3));
        laws::folds_are_equal::<Count>([[Bare]]);
    }

    #[test]
    fn records_are_dense_and_rise_and_are_the_same_in_every_run() {
        let scenario = given::<Journal>([Opaque, Opaque])
            .and_given([Opaque])
            .when(|_| Ok::<_, ()>([Opaque, Opaque]))
            .and_when(|_| Ok::<_, ()>([Opaque]))
            .reduces_to(given([Opaque, Opaque, Opaque, Opaque, Opaque, Opaque]).aggregate());
        let records = scenario.records();
        assert_eq!(records.len(), 6);
        assert!((0..6).eq(records.iter().map(EventRecord::index)));
        assert!(records.is_sorted_by(|one, next| one.recorded_at() < next.recorded_at()));
        assert!(records.is_sorted_by(|one, next| one.event_id() < next.event_id()));
        for record in records {
            assert_eq!(record.log_id(), records[0].log_id());
            assert_eq!(record.event_id().as_uuid().get_version_num(), 7);
            assert_eq!(record.occurred_at(), None);
        }
        assert_eq!(
            records[0].recorded_at().to_rfc3339(),
            "2026-01-01T00:00:00+00:00"
        );
        assert_eq!(records[0].log_id().as_uuid().get_version_num(), 7);
    }

    #[test]
    fn times_can_be_set_for_what_was_given_or_decided_last() {
        let [early, late, later] = ["2025-01-01", "2027-01-01", "2027-01-02"]
            .map(|day| format!("{day}T00:00:00.123456789Z").parse().unwrap());
        let scenario = given::<Journal>([Opaque])
            .occurred_at(early)
            .and_given([Opaque, Opaque])
            .recorded_at(late)
            .occurred_at(early)
            .when(|_| Ok::<_, ()>([Opaque]))
            .recorded_at(later)
            .occurred_at(late)
            .and_when(|_| Ok::<_, ()>([Opaque]))
            .then_matches(|_| true);
        let records = scenario.records();
        let micros = |time: chrono::DateTime<chrono::Utc>| time.timestamp_micros();
        assert_eq!(micros(records[1].recorded_at()), micros(late));
        assert_eq!(records[1].recorded_at(), records[2].recorded_at());
        assert_eq!(
            records[2].recorded_at().timestamp_subsec_nanos(),
            123_456_000
        );
        assert_eq!(records[0].occurred_at(), records[2].occurred_at());
        assert_eq!(micros(records[3].occurred_at().unwrap()), micros(late));
        assert_eq!(micros(records[4].recorded_at()), micros(later) + 1_000_000);
        assert_eq!(records[4].occurred_at(), None);
    }

    #[test]
    fn times_that_fall_or_have_no_event_are_refused() {
        let early = "2025-01-01T00:00:00Z".parse().unwrap();
        let message = failure(|| {
            given::<Journal>([Opaque])
                .and_given([Opaque])
                .recorded_at(early)
        });
        assert!(message.starts_with("recorded_at never falls"), "{message}");
        for message in [
            failure(|| given::<Journal>([]).recorded_at(early)),
            failure(|| given::<Journal>([]).occurred_at(early)),
            failure(|| {
                given::<Journal>([])
                    .when(|_| Err::<[Opaque; 0], _>(()))
                    .recorded_at(early)
            }),
        ] {
            assert!(message.contains("no event whose time"), "{message}");
        }
    }

    #[test]
    fn given_records_are_those_of_a_store() {
        let log_id = LogId::new();
        let time = "2026-01-01T00:00:00Z".parse().unwrap();
        let record =
            |log_id, index, time| RecordedEvent::new(log_id, index, EventId::new(), Opaque, time);
        let scenario = given_records::<Journal>([record(log_id, 0, time), record(log_id, 1, time)])
            .and_given([Opaque]);
        assert_eq!(scenario.records()[2].log_id(), log_id);
        assert_eq!(scenario.records()[2].index(), 2);

        let earlier = "2025-01-01T00:00:00Z".parse().unwrap();
        for (second, complaint) in [
            (record(log_id, 2, time), "a log has no gaps"),
            (
                record(LogId::new(), 1, time),
                "the records belong to two logs",
            ),
            (record(log_id, 1, earlier), "recorded_at never falls"),
        ] {
            let message = failure(|| given_records::<Journal>([record(log_id, 0, time), second]));
            assert!(message.starts_with(complaint), "{message}");
        }
    }
}

/// Laws that hold, written as a user writes them.
mod lawful {
    use super::*;
    use eventlogs::testing::laws::every_sequence;

    #[derive(Debug, Clone, PartialEq, Event)]
    enum StayEvent {
        #[event(name = "stay.arrived", alias = "stay.came")]
        Arrived { guests: u32 },
        #[event(name = "stay.left")]
        Left,
    }

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Aggregate)]
    #[aggregate(event = StayEvent)]
    struct Stay {
        guests: u32,
        rooms: HashMap<String, u32>,
    }

    #[event_handler(StayEvent)]
    impl Stay {
        #[on(Arrived)]
        fn arrive(&mut self, guests: u32, #[record] record: &impl EventRecord<StayEvent>) {
            self.guests += guests;
            self.rooms.insert(record.index().to_string(), guests);
        }

        #[on(Left)]
        fn leave(&mut self) {
            self.guests = 0;
        }
    }

    fn samples() -> [StayEvent; 2] {
        [StayEvent::Arrived { guests: 2 }, StayEvent::Left]
    }

    eventlogs::testing::event_laws!(stay_event_laws, StayEvent, samples());
    eventlogs::testing::aggregate_laws!(stay_laws, Stay, every_sequence(samples(), 4));
    eventlogs::testing::snapshot_laws!(stay_snapshot_laws, Stay, every_sequence(samples(), 4));
}

/// For each law, an aggregate or event that breaks it.
mod broken {
    use super::*;

    /// The event of all aggregates below.
    #[derive(Debug, Clone, PartialEq)]
    struct Added(u64);

    fn histories() -> [Vec<Added>; 3] {
        [vec![], vec![Added(1)], (1..=8).map(Added).collect()]
    }

    /// A clone shares the state instead of copying it.
    #[derive(Debug, Default, Clone)]
    struct Shared(Arc<Mutex<u64>>);

    impl Shared {
        fn total(&self) -> u64 {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl PartialEq for Shared {
        fn eq(&self, other: &Self) -> bool {
            self.total() == other.total()
        }
    }

    impl Aggregate for Shared {
        type Event = Added;
        fn apply(&mut self, event_record: &impl EventRecord<Added>) {
            *self.0.lock().unwrap() += event_record.event().0;
        }
    }

    #[test]
    fn a_clone_that_shares_is_not_lawful() {
        laws::folds_are_equal::<Shared>(histories());
        let message = failure(|| laws::cached_and_tail_is_the_full_fold::<Shared>(histories()));
        assert!(
            message.starts_with("history 1, cached after 0 of its 1 events and continued a second time from a clone,"),
            "{message}"
        );
    }

    /// A clone loses the state.
    #[derive(Debug, Default, PartialEq)]
    struct Forgetful(u64);

    impl Clone for Forgetful {
        fn clone(&self) -> Self {
            Self(0)
        }
    }

    impl Aggregate for Forgetful {
        type Event = Added;
        fn apply(&mut self, event_record: &impl EventRecord<Added>) {
            self.0 += event_record.event().0;
        }
    }

    #[test]
    fn a_clone_that_forgets_is_not_lawful() {
        let message = failure(|| laws::cached_and_tail_is_the_full_fold::<Forgetful>(histories()));
        assert!(
            message.starts_with(
                "history 1, cached after 1 of its 1 events and continued from a clone,"
            ),
            "{message}"
        );
        assert!(
            message.contains("\n  -         1,\n  +         0,\n"),
            "{message}"
        );
    }

    /// Numbers the events that it applies across all aggregates.
    #[derive(Debug, Default, Clone, PartialEq)]
    struct Numbered(Vec<u64>);

    impl Aggregate for Numbered {
        type Event = Added;
        fn apply(&mut self, _: &impl EventRecord<Added>) {
            static NUMBER: AtomicU64 = AtomicU64::new(0);
            self.0.push(NUMBER.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn a_global_counter_is_not_lawful() {
        let message = failure(|| laws::folds_are_equal::<Numbered>(histories()));
        assert!(
            message.starts_with("two folds of history 1 differ;"),
            "{message}"
        );
    }

    /// Keeps the amount that a hash set happens to return first.
    #[derive(Debug, Default, Clone)]
    struct Unordered {
        amounts: HashSet<u64>,
        first: Option<u64>,
    }

    impl PartialEq for Unordered {
        fn eq(&self, other: &Self) -> bool {
            self.first == other.first
        }
    }

    impl Aggregate for Unordered {
        type Event = Added;
        fn apply(&mut self, event_record: &impl EventRecord<Added>) {
            self.amounts.insert(event_record.event().0);
            self.first = self.amounts.iter().next().copied();
        }
    }

    #[test]
    fn the_order_of_a_hash_map_is_not_lawful() {
        let message = failure(|| laws::folds_are_equal::<Unordered>(histories()));
        assert!(
            message.starts_with("two folds of history 2 differ;"),
            "{message}"
        );
    }

    /// Panics below zero.
    #[derive(Debug, Default, Clone, PartialEq)]
    struct Falling(Option<u64>);

    impl Aggregate for Falling {
        type Event = Added;
        fn apply(&mut self, event_record: &impl EventRecord<Added>) {
            let left = self.0.unwrap_or(5).checked_sub(event_record.event().0);
            self.0 = Some(left.expect("the amount is available"));
        }
    }

    #[test]
    fn an_event_that_is_refused_is_not_lawful() {
        let message = failure(|| laws::applying_never_panics::<Falling>(histories()));
        assert!(
            message.starts_with("applying event 2 of history 2 panicked"),
            "{message}"
        );
    }

    /// Loses a field in its snapshot.
    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
    struct Skipping {
        total: u64,
        #[serde(skip)]
        events: u64,
    }

    impl Aggregate for Skipping {
        type Event = Added;
        fn apply(&mut self, event_record: &impl EventRecord<Added>) {
            self.total += event_record.event().0;
            self.events += 1;
        }
    }

    #[test]
    fn a_skipped_field_is_not_lawful() {
        laws::cached_and_tail_is_the_full_fold::<Skipping>(histories());
        let message = failure(|| laws::snapshots_come_back::<Skipping>(histories()));
        assert!(
            message.starts_with("history 1, cached after 1 of its 1 events, does not come back"),
            "{message}"
        );
        assert!(
            message.contains("\n  -         events: 1,\n  +         events: 0,\n"),
            "{message}"
        );
        let message = failure(|| laws::snapshot_and_tail_is_the_full_fold::<Skipping>(histories()));
        assert!(message.contains("continued from its snapshot"), "{message}");
    }

    /// Has a snapshot that cannot be read back: a byte array is not a list of numbers.
    #[derive(Debug, Default, Clone, PartialEq, Deserialize)]
    struct OneWay(u64);

    impl Serialize for OneWay {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&self.0)
        }
    }

    impl Aggregate for OneWay {
        type Event = Added;
        fn apply(&mut self, event_record: &impl EventRecord<Added>) {
            self.0 += event_record.event().0;
        }
    }

    #[test]
    fn a_snapshot_that_cannot_be_read_is_not_lawful() {
        let message = failure(|| laws::snapshots_come_back::<OneWay>(histories()));
        assert!(
            message.starts_with("this state cannot be read back: "),
            "{message}"
        );
    }

    #[test]
    fn a_law_without_histories_does_not_hold() {
        for message in [
            failure(|| laws::folds_are_equal::<Skipping>([[]; 0])),
            failure(|| laws::applying_never_panics::<Skipping>([[], []])),
            failure(|| laws::cached_and_tail_is_the_full_fold::<Skipping>([[]])),
            failure(|| laws::snapshots_come_back::<Skipping>([[]])),
            failure(|| laws::snapshot_and_tail_is_the_full_fold::<Skipping>([[]])),
        ] {
            assert!(
                message.starts_with("no history with an event was given"),
                "{message}"
            );
        }
        for message in [
            failure(|| laws::events_survive_their_codec::<PaymentEvent>([])),
            failure(|| laws::former_names_are_read::<PaymentEvent>([])),
        ] {
            assert!(message.starts_with("no event was given"), "{message}");
        }
    }

    #[test]
    fn an_event_without_a_sample_is_named() {
        let message = failure(|| laws::samples_are_complete([CAPTURED, refund(1)]));
        assert_eq!(
            message,
            r#"no sample of ["payment.requested", "payment.rated", "payment.voided"] was given; add one of each"#
        );
    }

    #[test]
    fn an_event_that_loses_something_is_not_lawful() {
        laws::events_survive_their_codec([CAPTURED, refund(1)]);
        let noted = PaymentEvent::Refunded(crate::payments::Refund {
            amount: 1,
            note: "is skipped".to_owned(),
        });
        let message = failure(|| laws::events_survive_their_codec([noted]));
        assert!(
            message.starts_with("`payment.refunded` is read as another event than was written;"),
            "{message}"
        );
        assert!(
            message.contains("\n  -             note: \"is skipped\",\n"),
            "{message}"
        );
    }

    #[test]
    fn an_event_that_cannot_be_read_back_is_not_lawful() {
        let infinite = PaymentEvent::Rated(f64::INFINITY);
        let message = failure(|| laws::events_survive_their_codec([infinite]));
        assert!(
            message.starts_with(
                "this event cannot be encoded: the format cannot represent the number inf"
            ),
            "{message}"
        );
    }

    /// Declares a former name that it does not read.
    #[derive(Debug, PartialEq)]
    struct Renamed(PaymentEvent);

    impl Event for Renamed {
        type Codec = <PaymentEvent as Event>::Codec;

        const LOG_TYPE: LogType = PaymentEvent::LOG_TYPE;

        const SCHEMA: &'static [EventSchema] =
            &[PaymentEvent::SCHEMA[0].with_aliases(&["payment.asked"])];

        fn event_type(&self) -> EventType {
            self.0.event_type()
        }

        fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize_payload(serializer)
        }

        fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
            PaymentEvent::decode(stored).map(Self)
        }
    }

    #[test]
    fn a_former_name_that_is_not_read_is_not_lawful() {
        let requested = || Renamed(PaymentEvent::Requested { amount: 1 });
        laws::events_survive_their_codec([requested()]);
        let message = failure(|| laws::former_names_are_read([requested()]));
        assert!(
            message.starts_with(
                "under the name `payment.asked`, this event cannot be read back: this code knows no event of that name"
            ),
            "{message}"
        );
    }
}
