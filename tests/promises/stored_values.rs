//! An event that is read equals the event that was written, or is not written at all: values of events with every codec.

mod domain;

use domain::{
    Flat, InJson, InMsgPack, Key, Kind, Marker, Newtype, Tagged, Transparent, Untagged, WritesUnit,
};
use eventlogs::codec::{Codec, Json, MsgPack};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{EncodeError, StoreError};
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, LogManager, LogManagerError,
    LogManagerOptions, LogState, MemoryAggregationCache, SqliteEventStore,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// An aggregate that counts events without looking into them.
struct Count<E>(std::marker::PhantomData<fn() -> E>);

impl<E> Default for Count<E> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<E> Clone for Count<E> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<E: Send + Sync + Clone + 'static> Aggregate for Count<E> {
    type Event = E;
    fn apply(&mut self, _: &impl EventRecord<E>) {}
}

type Values<E> = LogManager<Count<E>>;

/// Returns all encoding stores that need no server.
async fn stores<E: Event + Clone>() -> [Values<E>; 2] {
    let (cache, options) = (MemoryAggregationCache::default, LogManagerOptions::default);
    let sqlite = SqliteEventStore::in_memory().await.unwrap();
    [
        LogManager::new(sqlite, cache(), options()),
        LogManager::new(FakeEventStore::encoding(), cache(), options()),
    ]
}

/// Checks that each of these events comes back.
async fn kept<E: Event + Clone + PartialEq + Debug>(events: impl IntoIterator<Item = E>) {
    let stores = stores().await;
    for event in events {
        for values in &stores {
            let log_id = LogId::new();
            let options = CreateOptions::default();
            let written = values.create(&log_id, &event, &options);
            if let Err(error) = written.await {
                panic!("{event:?} is refused: {error}: {:?}", error.source());
            }
            let read = values.load(&log_id, 0, 1).await.unwrap().remove(0);
            assert_eq!(read.into_event(), event);
        }
    }
}

/// Checks that each of these events is refused with this word in the error, and nothing is stored.
async fn refused<E: Event + Clone + PartialEq + Debug>(
    word: &str,
    events: impl IntoIterator<Item = E>,
) {
    let stores = stores().await;
    for event in events {
        for values in &stores {
            let log_id = LogId::new();
            let options = CreateOptions::default();
            let written = values.create(&log_id, &event, &options);
            match written.await {
                Err(LogManagerError::Encode(EncodeError::Codec { event_type, source })) => {
                    assert_eq!(event_type, event.event_type().name);
                    assert!(source.to_string().contains(word), "{event:?}: {source}");
                }
                other => panic!("{event:?}: {other:?}"),
            }
            let found = values.reduce(&log_id).await.map(|_| ());
            assert!(matches!(found, Err(LogManagerError::LogNotFound { .. })));
        }
    }
}

fn map<V>(value: V) -> BTreeMap<String, V> {
    [("key".to_owned(), value)].into()
}

/// Lists the values that are null within a `Some` in both codecs.
macro_rules! lost_in_both {
    ($name:ident) => {
        [
            $name::Twice { nick: Some(None) },
            $name::Thrice(Some(Some(None))),
            $name::Thrice(Some(None)),
            $name::Json {
                body: Some(Value::Null),
            },
            $name::Unit { by: Some(()) },
            $name::Deep(map(vec![(0, None), (1, Some(Transparent(None)))])),
            $name::Deep(map(vec![(1, Some(Transparent(Some(Newtype(None)))))])),
            $name::Untagged {
                what: Some(Untagged::Nothing),
            },
            $name::Tagged {
                what: Some(Tagged::One { left: Some(None) }),
            },
            $name::Written {
                what: Some(WritesUnit),
            },
            $name::Flat(Flat {
                rest: map(Some(None)),
                ..Flat::default()
            }),
        ]
    };
}

/// Lists the values that both codecs keep.
macro_rules! kept_by_both {
    ($name:ident) => {
        [
            $name::Twice { nick: None },
            $name::Twice { nick: Some(Some("null".to_owned())) },
            $name::Thrice(None),
            $name::Thrice(Some(Some(Some(0)))),
            $name::Number { value: None },
            $name::Number { value: Some(117.633_311_394_000_17) },
            $name::Bare { value: 9_007_199_254_740_991.0 },
            $name::Bare { value: f64::MIN_POSITIVE / 4.0 },
            $name::Bare { value: f64::MAX },
            $name::Small { value: f32::MIN_POSITIVE / 4.0 },
            $name::Small { value: 0.1 },
            $name::Numbers(vec![None, Some(-0.0), Some(1e-320)], vec![f64::MIN, 0.1 + 0.2]),
            $name::Json { body: None },
            $name::Json { body: Some(serde_json::json!([null, { "a": null, "b": 0.1 }, u64::MAX])) },
            $name::Unit { by: None },
            $name::Marker { by: None },
            $name::Deep(map(vec![(0, None), (1, Some(Transparent(Some(Newtype(Some(1))))))])),
            $name::Untagged { what: Some(Untagged::Text("null".to_owned())) },
            $name::Untagged { what: Some(Untagged::Pair { left: None }) },
            $name::Tagged { what: Some(Tagged::Nothing) },
            $name::Tagged { what: Some(Tagged::One { left: None }) },
            $name::Flat(Flat::default()),
            $name::Flat(Flat { note: Some(String::new()), rest: map(Some(Some(1))), ..Flat::default() }),
            $name::Large { signed: i128::MIN, unsigned: u128::MAX },
            $name::Keys(
                [(0, 0), (u128::MAX, 1)].into(),
                [('"', i128::MIN), ('\0', i128::MAX)].into(),
                [(Kind::None, true), (Kind::Null, false)].into(),
            ),
            $name::Structs(HashMap::new()),
            $name::Patched { nick: None },
            $name::Patched { nick: Some(None) },
            $name::Patched {
                nick: Some(Some(String::new())),
            },
        ]
    };
}

#[tokio::test]
async fn what_json_would_bring_back_as_something_else_is_refused() {
    refused("read as `None`", lost_in_both!(InJson)).await;
    refused("read as `None`", [InJson::Marker { by: Some(Marker) }]).await;
    refused(
        "the number",
        [
            InJson::Number {
                value: Some(f64::NAN),
            },
            InJson::Bare {
                value: f64::INFINITY,
            },
            InJson::Small { value: f32::NAN },
            InJson::Numbers(vec![None, Some(f64::NEG_INFINITY)], vec![]),
            InJson::Numbers(vec![], vec![f64::NAN]),
        ],
    )
    .await;
    refused(
        "key must be a string",
        [InJson::Structs([(Key { left: 1 }, 1)].into())],
    )
    .await;
    let reserved = [("$serde_json::private::Number".to_owned(), "1".into())];
    let body = Some(Value::Object(reserved.into_iter().collect()));
    refused("choose another", [InJson::Json { body }]).await;
}

#[tokio::test]
async fn what_messagepack_would_bring_back_as_something_else_is_refused() {
    refused("read as `None`", lost_in_both!(InMsgPack)).await;
}

#[tokio::test]
async fn what_json_brings_back_is_kept() {
    kept(kept_by_both!(InJson)).await;
}

#[tokio::test]
async fn what_messagepack_brings_back_is_kept() {
    kept(kept_by_both!(InMsgPack)).await;
    kept([
        InMsgPack::Marker { by: Some(Marker) },
        InMsgPack::Bare {
            value: f64::INFINITY,
        },
        InMsgPack::Number {
            value: Some(f64::NEG_INFINITY),
        },
        InMsgPack::Structs([(Key { left: 1 }, 1)].into()),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_names_the_field_and_says_what_to_do() {
    let [values, _] = stores().await;
    let event = InJson::Json {
        body: Some(Value::Null),
    };
    let (log_id, options) = (LogId::new(), CreateOptions::default());
    let refused = values.create(&log_id, &event, &options);
    let error = refused.await.unwrap_err();
    assert!(
        error.to_string().contains("`Json` cannot be encoded"),
        "{error}"
    );
    let LogManagerError::Encode(error) = error else {
        panic!("{error:?}");
    };
    let source = error.source().expect("the codec says why").to_string();
    assert!(source.contains("in the field `body`"), "{source}");
    assert!(source.contains("use an enum"), "{source}");
}

#[tokio::test]
async fn fractions_come_back_in_a_record_for_an_api_too() {
    let [values, _] = stores().await;
    let event = InJson::Bare {
        value: 117.633_311_394_000_17,
    };
    let log_id = LogId::new();
    values
        .create(&log_id, &event, &CreateOptions::default())
        .await
        .unwrap();
    let record = values.load(&log_id, 0, 1).await.unwrap().remove(0);
    let json = serde_json::to_string(&record).unwrap();
    assert!(json.contains("\"value\":117.63331139400017"), "{json}");
}

/// A caller that stops waiting has written nothing, on either fake store.
#[tokio::test]
async fn a_passed_deadline_counts_on_the_fakes() {
    for store in [FakeEventStore::<InJson>::new(), FakeEventStore::encoding()] {
        let cache = MemoryAggregationCache::default();
        let values: Values<InJson> = LogManager::new(store, cache, LogManagerOptions::default());
        let log_id = LogId::new();
        let event = InJson::Thrice(None);
        let deadline = Instant::now().checked_sub(Duration::from_secs(1));
        let options = CreateOptions {
            deadline,
            ..CreateOptions::default()
        };
        let late = values.create(&log_id, &event, &options).await.map(|_| ());
        assert!(
            matches!(
                late,
                Err(LogManagerError::Store(StoreError::DeadlineExceeded))
            ),
            "{late:?}"
        );
        values
            .create(&log_id, &event, &CreateOptions::default())
            .await
            .expect("nothing was stored");

        let options = AppendOptions {
            deadline,
            ..AppendOptions::default()
        };
        let state = LogState::at(log_id, 0);
        let late = values.append(state, &event, &options).await.map(|_| ());
        assert!(
            matches!(
                late,
                Err(LogManagerError::Store(StoreError::DeadlineExceeded))
            ),
            "{late:?}"
        );
        let late = values
            .append_across([(state, [event])], &options)
            .await
            .map(|_| ());
        assert!(
            matches!(
                late,
                Err(LogManagerError::Store(StoreError::DeadlineExceeded))
            ),
            "{late:?}"
        );
        assert_eq!(values.load(&log_id, 0, 9).await.unwrap().len(), 1);
    }
}

#[test]
fn only_a_fake_that_encodes_is_read_as_another_enum() {
    assert!(
        FakeEventStore::<InJson>::new()
            .read_as::<InMsgPack>()
            .is_none()
    );
    assert!(
        FakeEventStore::<InJson>::encoding()
            .read_as::<InMsgPack>()
            .is_some()
    );
}

/// A value that is nested too deeply for any reader is refused when it is written.
#[test]
fn what_is_too_deep_to_be_read_is_refused() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nest(Vec<Nest>);

    fn comes_back<C: Codec>(depth: usize) -> bool {
        let nest = (1..depth).fold(Nest(vec![]), |inner, _| Nest(vec![inner]));
        let mut bytes = Vec::new();
        if C::encode(&nest, &mut bytes).is_err() {
            return false;
        }
        C::decode::<Nest>(&bytes).is_ok_and(|read| {
            assert_eq!(read, nest);
            true
        })
    }

    let deep = std::thread::Builder::new().stack_size(256 * 1024 * 1024);
    let tried = deep.spawn(|| {
        assert!(comes_back::<Json>(120));
        assert!(!comes_back::<Json>(2_000));
        assert!(comes_back::<MsgPack>(1_000));
        assert!(!comes_back::<MsgPack>(2_000));
    });
    tried.unwrap().join().unwrap();
}
