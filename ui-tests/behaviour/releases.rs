//! What a release reads of the next one, and what it no longer writes.

use crate::support::{decode, decode_json, fold, now, round_trip};
use eventlogs::codec::{Codec, CodecId, DecodeProblem, MsgPack};
use eventlogs::feed::{Interest, Source, Wanted};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, EventStore, InvalidAppend, ReadRequest,
    ReadStart,
};
use eventlogs::testing::events_lock::{self, EnumSchema, EventsLockError};
use eventlogs::{Aggregate, Appends, CodeFingerprint, Event, EventRecord, LogState, event_handler};
use serde::{Deserialize, Serialize};

/// Version 3 of a payment that was captured, which only newer code writes.
#[derive(Serialize, Deserialize)]
struct CapturedV3 {
    cents: u64,
    currency: String,
}

/// Version 4.
#[derive(Serialize, Deserialize)]
struct CapturedV4(Option<u64>);

#[derive(Debug, Clone, PartialEq, Event)]
enum PaymentEvent {
    #[event(
        name = "payment.captured",
        alias = "payment.taken",
        version = 2,
        upcast(1 = captured_from_v1),
        accept(3 = captured_from_v3, 4 = Self::captured_from_v4)
    )]
    Captured { cents: u64 },
    #[event(name = "payment.voided")]
    Voided,
    #[event(name = "payment.announced", retired)]
    Announced { cents: u64 },
    #[event(name = "payment.noted", retired)]
    Noted(String),
}

const fn captured_from_v1(euros: u64) -> PaymentEvent {
    PaymentEvent::Captured { cents: euros * 100 }
}

fn captured_from_v3(new: CapturedV3) -> PaymentEvent {
    assert_eq!(new.currency, "EUR");
    PaymentEvent::Captured { cents: new.cents }
}

impl PaymentEvent {
    /// A newer version may be another event for this code.
    const fn captured_from_v4(new: CapturedV4) -> Self {
        match new.0 {
            Some(cents) => Self::Captured { cents },
            None => Self::Voided,
        }
    }
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Aggregate)]
#[aggregate(event = PaymentEvent)]
struct Payment {
    cents: u64,
    announced: u64,
}

#[event_handler(PaymentEvent, ignore(Voided | retired))]
impl Payment {
    #[on(Captured)]
    fn capture(&mut self, cents: u64) {
        self.cents += cents;
    }

    /// The other retired event has no handler.
    #[on(Announced)]
    fn announce(&mut self, cents: u64) {
        self.announced += cents;
    }
}

/// Needs none of the retired events.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = PaymentEvent)]
struct Voids {
    voided: u64,
}

#[event_handler(PaymentEvent, ignore(Captured | retired))]
impl Voids {
    #[on(Voided)]
    fn void(&mut self) {
        self.voided += 1;
    }
}

#[test]
fn newer_versions_are_read_under_every_name_and_in_every_codec() {
    let captured = |cents| PaymentEvent::Captured { cents };
    for name in ["payment.captured", "payment.taken"] {
        for (version, json, expected) in [
            (1, "5", captured(500)),
            (2, r#"{"cents":5}"#, captured(5)),
            (3, r#"{"cents":6,"currency":"EUR"}"#, captured(6)),
            (4, "7", captured(7)),
            (4, "null", PaymentEvent::Voided),
        ] {
            let event: PaymentEvent = decode_json(name, version, json).expect("it decodes");
            assert_eq!(event, expected, "version {version}");
        }
    }
    let mut bytes = Vec::new();
    let new = CapturedV3 {
        cents: 8,
        currency: "EUR".to_owned(),
    };
    MsgPack::encode(&new, &mut bytes).expect("it encodes");
    let event: PaymentEvent =
        decode("payment.taken", 3, CodecId::MSGPACK, &bytes).expect("it decodes");
    assert_eq!(event, captured(8));
    // It goes on writing its own version.
    assert_eq!(captured(5).event_type().version, 2);
    assert_eq!(round_trip(&captured(5)), captured(5));
}

#[test]
fn what_is_newer_still_is_an_error_that_says_what_is_read() {
    let problem = decode_json::<PaymentEvent>("payment.captured", 5, "{}").expect_err("too new");
    assert!(
        matches!(problem, DecodeProblem::UnknownVersion { supported: 4 }),
        "{problem:?}"
    );
    assert!(
        problem.to_string().contains("accept the newer version"),
        "{problem}"
    );
    let problem =
        decode_json::<PaymentEvent>("payment.captured", 3, r#"{"cents":1}"#).expect_err("broken");
    assert!(matches!(problem, DecodeProblem::Payload(_)), "{problem:?}");
}

#[test]
fn the_schema_tells_accepted_versions_and_retired_events() {
    let [captured, voided, announced, noted] = PaymentEvent::SCHEMA else {
        panic!("there are four variants")
    };
    assert_eq!(
        (captured.upcast_from, captured.accepts),
        (&[1][..], &[3, 4][..])
    );
    assert_eq!((voided.accepts, voided.is_retired), (&[][..], false));
    assert!(announced.is_retired && noted.is_retired && !captured.is_retired);
}

#[test]
fn the_feed_brings_accepted_versions_of_ignored_events() {
    let except = Interest::Except(&["Captured"]);
    let wanted = Wanted::of(&[Source::new::<PaymentEvent>(except)]);
    assert!(!wanted.includes_event("payment.captured", 2));
    // They may become other events.
    for version in [1, 3, 4] {
        assert!(wanted.includes_event("payment.captured", version));
        assert!(wanted.includes_event("payment.taken", version));
    }
}

#[test]
fn retired_events_are_read_and_handled_if_there_is_a_handler() {
    let event: PaymentEvent =
        decode_json("payment.announced", 1, r#"{"cents":5}"#).expect("it decodes");
    assert_eq!(event, PaymentEvent::Announced { cents: 5 });
    let events = [
        PaymentEvent::Captured { cents: 1 },
        event.clone(),
        PaymentEvent::Noted("old".to_owned()),
        PaymentEvent::Voided,
        event,
    ];
    let payment: Payment = fold(events.clone());
    assert_eq!((payment.cents, payment.announced), (1, 10));
    assert_eq!(fold::<Voids>(events).voided, 1);
}

#[test]
fn no_part_of_a_write_with_a_retired_event_is_stored() {
    fn is_refused<T>(result: Result<T, AppendError>) -> bool {
        let retired = InvalidAppend::Retired {
            event_type: "payment.announced",
            variant: "Announced",
        };
        matches!(result, Err(AppendError::Invalid(refused)) if refused == retired)
    }

    let log_id = LogId::new();
    let store = FakeEventStore::<PaymentEvent>::encoding();
    let captured = PaymentEvent::Captured { cents: 1 };
    let events = [captured.clone(), PaymentEvent::Announced { cents: 1 }];
    let create = AppendRequest::create(log_id, &events);
    assert!(is_refused(now(store.append(create))));
    let create = AppendRequest::create(log_id, std::slice::from_ref(&captured));
    let state = now(store.append(create)).expect("it is stored").state;
    let append = AppendRequest::after(state, &events);
    assert!(is_refused(now(store.append(append))));
    for store in [store.clone(), FakeEventStore::new()] {
        let other = LogId::new();
        let across = Appends::new()
            .create(other, [captured.clone()])
            .append(LogState::at(log_id, 0), events.clone());
        assert!(is_refused(now(
            store.append_across(AppendAcrossRequest::new(across))
        )));
        let read = ReadRequest::new(other, ReadStart::Index(0), 10);
        assert!(now(store.read(read)).is_ok_and(|page| page.records.is_empty()));
    }
    let read = ReadRequest::new(log_id, ReadStart::Index(0), 10);
    let page = now(store.read(read)).expect("it is read");
    let stored: Vec<_> = page.records.iter().map(EventRecord::event).collect();
    assert_eq!(stored, [&captured]);
}

/// The same aggregate in three releases.
macro_rules! release {
    ($name:ident, $($keys:tt)*) => {
        mod $name {
            use eventlogs::{Aggregate, Event, event_handler};
            use serde::{Deserialize, Serialize};

            #[derive(Debug, Event)]
            pub(super) enum TankEvent {
                #[event(name = "tank.filled", $($keys)*)]
                Filled(u64),
            }

            #[allow(dead_code, reason = "not every release has one")]
            const fn filled(litres: u64) -> TankEvent {
                TankEvent::Filled(litres)
            }

            #[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
            #[aggregate(event = TankEvent)]
            pub(super) struct Tank {
                litres: u64,
            }

            #[event_handler(TankEvent)]
            impl Tank {
                #[on(Filled(litres))]
                fn fill(&mut self, litres: u64) {
                    self.litres += litres;
                }
            }
        }
    };
}

release!(past, version = 1);
release!(present, version = 1, accept(2 = filled));
release!(future, version = 2, upcast(1 = filled));

#[test]
fn releases_that_write_different_versions_share_no_cached_aggregates() {
    let [past, present, future] = [
        past::Tank::code_fingerprint(),
        present::Tank::code_fingerprint(),
        future::Tank::code_fingerprint(),
    ];
    assert_ne!(present, future);
    // Accepting a version changes no state that could be cached before.
    assert_eq!(past, present);
}

#[test]
fn the_record_knows_what_a_release_accepts() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |schema| events_lock::check(folder.path(), &[schema]);
    // If `CI` is set, the file is read but not written.
    let is_read = |result: Result<(), EventsLockError>| {
        matches!(result, Ok(()) | Err(EventsLockError::OutOfDate { .. }))
    };
    let file = "enum TankEvent\nlog_type tank\ncodec 1\n\ntank.filled 1 Filled\n    0: u64\n\n\
                tank.filled 2 Filled\n    0: u64\n    = json 5\n";
    std::fs::write(folder.path().join("events.lock"), file).expect("it is written");
    assert!(is_read(check(EnumSchema::new::<future::TankEvent>(
        "TankEvent"
    ))));
    // Rolled back: the release before reads what was written meanwhile, and the one before that does not.
    assert!(is_read(check(EnumSchema::new::<present::TankEvent>(
        "TankEvent"
    ))));
    let error = check(EnumSchema::new::<past::TankEvent>("TankEvent")).expect_err("too new");
    assert!(
        error
            .to_string()
            .contains("read it without writing it: `accept(2 = …)`"),
        "{error}"
    );
}
