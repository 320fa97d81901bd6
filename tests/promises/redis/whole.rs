//! The state from Redis equals the state of the fold, or there is none.

#![expect(
    clippy::option_option,
    reason = "the test checks that the two are distinguished"
)]

use super::{connect_as, options};
use crate::servers;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::CounterEvent;
use eventlogs::{
    Aggregate, AggregationCache, AppendOptions, CodeFingerprint, CreateOptions, EventRecord,
    LogManager, LogManagerOptions, WholeSnapshot,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::Debug;
use std::time::Duration;

/// Defines aggregates that are reduced from a counter's events, by code of which only the version is known.
macro_rules! aggregates {
    ($($aggregate:ident = $name:literal |$state:ident, $event:ident| $apply:expr;)*) => {$(
        impl Aggregate for $aggregate {
            type Event = CounterEvent;

            fn name() -> &'static str {
                $name
            }

            fn apply(&mut self, record: &impl EventRecord<CounterEvent>) {
                let ($state, $event) = (self, record.event());
                $apply
            }
        }

        impl CodeFingerprint for $aggregate {
            fn code_fingerprint() -> u64 {
                1
            }
        }

        impl WholeSnapshot for $aggregate {}
    )*};
}

/// `None`: never asked. `Some(None)`: asked, but without a nickname.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Profile {
    nick: Option<Option<String>>,
    seen: Vec<Option<Option<()>>>,
}

/// A type that relies on the fact that no range is empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
struct Range {
    low: u64,
    high: u64,
}

impl Range {
    fn new(low: u64, high: u64) -> Self {
        assert!(low < high, "an empty range");
        Self { low, high }
    }
}

impl Default for Range {
    fn default() -> Self {
        Self::new(0, 1)
    }
}

impl From<(u64, u64)> for Range {
    fn from((low, high): (u64, u64)) -> Self {
        Self::new(low, high)
    }
}

impl From<Range> for (u64, u64) {
    fn from(range: Range) -> Self {
        (range.low, range.high)
    }
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Limits {
    range: Range,
}

/// The type that another build of the same program writes in place of `Range`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct OtherLimits {
    range: (u64, u64),
}

/// A type that cannot be read back as it was written.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
struct Rounded(u64);

impl<'de> Deserialize<'de> for Rounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(u64::deserialize(deserializer)? / 10 * 10))
    }
}

aggregates! {
    Profile = "Profile" |state, event| {
        state.nick = Some(None);
        state.seen.push(Some(matches!(event, CounterEvent::Added { .. }).then_some(())));
        state.seen.push(None);
    };
    Limits = "Limits" |state, _event| state.range = Range::new(3, state.range.high + 10);
    OtherLimits = "Limits" |state, _event| state.range = (5, 5);
    Rounded = "Rounded" |state, _event| state.0 += 3;
}

/// Reduces a log of two events with one manager. Returns its state, the state that another manager gets with the cache, and the
/// number of events that the other one applied.
async fn reduced_elsewhere<A, B>() -> Option<(A, B, u64)>
where
    A: Aggregate<Event = CounterEvent> + CodeFingerprint + WholeSnapshot + Serialize,
    A: DeserializeOwned + Debug,
    B: Aggregate<Event = CounterEvent> + CodeFingerprint + WholeSnapshot + Serialize,
    B: DeserializeOwned + Debug,
{
    let url = servers::redis_url()?;
    let cache = connect_as::<A>(&url, options()).await;
    let other_cache = cache.for_aggregate::<B>();
    let store = FakeEventStore::new();
    let here = manager(&store, cache);
    let there = manager(&store, other_cache);
    let log_id = LogId::new();
    let event = CounterEvent::Added { amount: 1 };
    let state = here
        .create(&log_id, &event, &CreateOptions::default())
        .await;
    here.append(state.unwrap(), &event, &AppendOptions::default())
        .await
        .unwrap();
    let whole = here.reduce(&log_id).await.unwrap();
    here.flush_cache().await;
    let found = there.reduce(&log_id).await.unwrap();
    let applied = found.applied_events();
    Some((whole.into_aggregate(), found.into_aggregate(), applied))
}

fn manager<A: Aggregate<Event = CounterEvent>>(
    store: &FakeEventStore<CounterEvent>,
    cache: impl AggregationCache<A>,
) -> LogManager<A> {
    let options = LogManagerOptions {
        cache_timeout: Duration::from_secs(10),
        cache_write_timeout: Duration::from_secs(10),
        ..Default::default()
    };
    LogManager::new(store.clone(), cache, options)
}

#[tokio::test]
async fn some_of_nothing_is_not_nothing() {
    let Some((whole, found, applied)) = reduced_elsewhere::<Profile, Profile>().await else {
        return;
    };
    assert_eq!(applied, 0, "the state was cached");
    assert_eq!(found, whole);
    assert_eq!(found.nick, Some(None));
}

#[tokio::test]
async fn no_conversion_meets_a_value_that_never_was() {
    let Some((whole, found, applied)) = reduced_elsewhere::<Limits, Limits>().await else {
        return;
    };
    assert_eq!((found, applied), (whole, 0));
}

#[tokio::test]
async fn an_entry_on_which_a_type_panics_is_a_miss() {
    let Some((_, found, applied)) = reduced_elsewhere::<OtherLimits, Limits>().await else {
        return;
    };
    assert_eq!((found.range, applied), (Range::new(3, 21), 2));
}

#[tokio::test]
async fn an_entry_of_other_nested_types_is_a_miss() {
    let Some((_, found, applied)) = reduced_elsewhere::<Limits, OtherLimits>().await else {
        return;
    };
    assert_eq!((found.range, applied), ((5, 5), 2));
}

#[tokio::test]
async fn a_state_that_would_come_back_as_another_is_not_cached() {
    let Some((whole, found, applied)) = reduced_elsewhere::<Rounded, Rounded>().await else {
        return;
    };
    assert_eq!((whole.0, found.0, applied), (6, 6, 2));
    let url = servers::redis_url().expect("Redis was available before");
    let cache = connect_as::<Rounded>(&url, options()).await;
    let logs = manager(&FakeEventStore::new(), cache.clone());
    let log_id = LogId::new();
    let event = CounterEvent::Added { amount: 1 };
    logs.create(&log_id, &event, &CreateOptions::default())
        .await
        .unwrap();
    let aggregation = logs.reduce(&log_id).await.unwrap();
    let refused = cache.put(aggregation, None).await.expect_err("3 is not 0");
    assert!(
        refused.to_string().contains("comes back as another value"),
        "{refused}"
    );
}
