//! Whatever happens to a log and to the caches, and in whatever way it is reduced: the latest state is the fold of all events.

use crate::counting::Remote;
use crate::model::effort;
use crate::needs::domain::{Level, TankEvent, last_year, manager};
use crate::postgres::TestStore;
use eventlogs::ids::{EventId, LogId};
use eventlogs::stores::AppendRequest;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregation, AggregationCache, AppendOptions, CreateOptions, DecideOptions, Event, EventStore,
    Freshness, LogManager, MemoryAggregationCache, PointInTime, ReduceOptions, ReducedThrough,
    SqliteEventStore, TieredAggregationCache,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// The number of logs of a case.
const LOGS: usize = 3;

/// An event, by what becomes of it.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// It is handled.
    Filled(u8),
    /// It is handled.
    Drained(u8),
    /// It is ignored.
    Painted,
    /// It is ignored.
    Inspected,
    /// It is of an older version, and becomes one that is handled.
    Old(u8),
}

/// One step on one of the logs.
#[derive(Debug, Clone)]
enum Step {
    /// Another program appends these events.
    Append(usize, Vec<Kind>),
    /// Another program appends many events that are ignored, and one that is handled.
    Many(usize, u8),
    /// The tested manager decides on one event.
    Decide(usize, u8),
    /// The tested manager reduces the log.
    Reduce(usize, Fresh),
    /// The tested manager reduces all logs.
    ReduceMany,
    /// All tasks for the cache are done.
    Flush,
    /// A cache loses the log.
    Lose(usize, Tier),
    /// A cache has the result of an earlier reduction.
    Older(usize, Tier),
    /// A cache has a state of another history, with so many events.
    Forged(usize, Tier, u8),
}

#[derive(Debug, Clone, Copy)]
enum Fresh {
    Latest,
    Cached,
    AtMost(u64),
}

#[derive(Debug, Clone, Copy)]
enum Tier {
    Near,
    Far,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (1..9u8).prop_map(Kind::Filled),
        (1..9u8).prop_map(Kind::Drained),
        Just(Kind::Painted),
        Just(Kind::Inspected),
        (1..9u8).prop_map(Kind::Old),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let log = || 0..LOGS;
    let tier = || prop_oneof![Just(Tier::Near), Just(Tier::Far)];
    let fresh = prop_oneof![
        3 => Just(Fresh::Latest),
        1 => Just(Fresh::Cached),
        1 => prop_oneof![Just(0), Just(1), Just(10_000)].prop_map(Fresh::AtMost),
    ];
    prop_oneof![
        4 => (log(), prop::collection::vec(kind(), 1..6)).prop_map(|(log, kinds)| Step::Append(log, kinds)),
        1 => (log(), 28..40u8).prop_map(|(log, events)| Step::Many(log, events)),
        2 => (log(), 1..9u8).prop_map(|(log, litres)| Step::Decide(log, litres)),
        6 => (log(), fresh).prop_map(|(log, fresh)| Step::Reduce(log, fresh)),
        2 => Just(Step::ReduceMany),
        3 => Just(Step::Flush),
        1 => (log(), tier()).prop_map(|(log, tier)| Step::Lose(log, tier)),
        2 => (log(), tier()).prop_map(|(log, tier)| Step::Older(log, tier)),
        2 => (log(), tier(), 0..60u8).prop_map(|(log, tier, index)| Step::Forged(log, tier, index)),
    ]
}

/// The caches of a case; the manager has one of them, or both as tiers.
struct Caches {
    near: Arc<MemoryAggregationCache<Level>>,
    far: Arc<Remote<Level>>,
}

impl Caches {
    async fn put(&self, tier: Tier, aggregation: Aggregation<Level>) {
        self.lose(tier, aggregation.log_id()).await;
        match tier {
            Tier::Near => self.near.put(aggregation, None).await.unwrap(),
            Tier::Far => self.far.put(aggregation, None).await.unwrap(),
        }
    }

    async fn lose(&self, tier: Tier, log_id: LogId) {
        match tier {
            Tier::Near => self.near.forget(log_id).await.unwrap(),
            Tier::Far => self.far.forget(log_id).await.unwrap(),
        }
    }
}

/// A log, and what it must reduce to, computed independently.
struct Log {
    id: LogId,
    expected: Level,
    end: u64,
}

impl Log {
    fn expect(&mut self, kind: Kind) {
        let level = &mut self.expected;
        match kind {
            Kind::Filled(litres) | Kind::Old(litres) => level.filled += u64::from(litres),
            Kind::Drained(litres) => level.drained += u64::from(litres),
            Kind::Painted | Kind::Inspected => {}
        }
        level.changes += u64::from(!matches!(kind, Kind::Painted | Kind::Inspected));
        self.end += 1;
    }

    fn check(&self, found: &Aggregation<Level>) {
        assert_eq!(found.log_id(), self.id);
        assert_eq!(
            (found.aggregate(), found.through_index()),
            (&self.expected, self.end)
        );
    }
}

fn event(kind: Kind) -> Result<TankEvent, last_year::TankEvent> {
    let text = || "red".to_owned();
    Ok(match kind {
        Kind::Filled(litres) => TankEvent::Filled {
            litres: litres.into(),
        },
        Kind::Drained(litres) => TankEvent::Drained {
            litres: litres.into(),
        },
        Kind::Painted => TankEvent::Painted { colour: text() },
        Kind::Inspected => TankEvent::Inspected { by: text() },
        Kind::Old(litres) => {
            return Err(last_year::TankEvent::Inspected {
                litres: litres.into(),
            });
        }
    })
}

/// Appends an event as the program that writes this form of it.
async fn append_one<E: Event>(
    store: &impl EventStore<E>,
    elsewhere: &LogManager<Level>,
    log_id: LogId,
    event: E,
) {
    let end = elsewhere
        .reduce_at(log_id, PointInTime::Index(u64::MAX))
        .await
        .unwrap();
    let request = AppendRequest::after(end.position(), std::slice::from_ref(&event));
    store.append(request).await.unwrap();
}

struct Case<S, L> {
    store: S,
    /// The same store for last year's events.
    last_year: L,
}

impl<S, L> Case<S, L>
where
    S: EventStore<TankEvent> + Clone,
    L: EventStore<last_year::TankEvent>,
{
    async fn run(&self, steps: &[Step]) {
        for tiers in 0..3 {
            let near = Arc::new(MemoryAggregationCache::default());
            let far = Arc::new(Remote::default());
            let store = self.store.clone();
            let tanks = match tiers {
                0 => manager::<Level>(store, Arc::clone(&near)),
                1 => manager::<Level>(store, Arc::clone(&far)),
                _ => {
                    let tiers = TieredAggregationCache::new(Arc::clone(&near), Arc::clone(&far));
                    manager::<Level>(store, tiers)
                }
            };
            self.run_with(&tanks, &Caches { near, far }, steps).await;
        }
    }

    async fn run_with(&self, tanks: &LogManager<Level>, caches: &Caches, steps: &[Step]) {
        let none = AppendOptions::default();
        let elsewhere = manager::<Level>(self.store.clone(), MemoryAggregationCache::default());
        let mut logs = Vec::new();
        for _ in 0..LOGS {
            let log_id = LogId::new();
            let filled = TankEvent::Filled { litres: 1 };
            let options = CreateOptions::default();
            elsewhere.create(&log_id, &filled, &options).await.unwrap();
            let expected = Level {
                filled: 1,
                changes: 1,
                ..Level::default()
            };
            logs.push(Log {
                id: log_id,
                expected,
                end: 0,
            });
        }
        let mut seen: Vec<Aggregation<Level>> = Vec::new();
        for step in steps {
            match step {
                Step::Append(log, kinds) => {
                    let log = &mut logs[*log];
                    for kind in kinds {
                        match event(*kind) {
                            Ok(event) => {
                                append_one(&self.store, &elsewhere, log.id, event).await;
                            }
                            Err(old) => {
                                append_one(&self.last_year, &elsewhere, log.id, old).await;
                            }
                        }
                        log.expect(*kind);
                    }
                }
                Step::Many(log, events) => {
                    let log = &mut logs[*log];
                    let kinds = vec![Kind::Painted; usize::from(*events)];
                    let kinds = kinds.into_iter().chain([Kind::Filled(1)]);
                    let kinds: Vec<_> = kinds.collect();
                    let events = kinds.iter().filter_map(|kind| event(*kind).ok());
                    let events: Vec<_> = events.collect();
                    let end = elsewhere.reduce(log.id).await.unwrap();
                    elsewhere.append_all(end, &events, &none).await.unwrap();
                    for kind in kinds {
                        log.expect(kind);
                    }
                }
                Step::Decide(log, litres) => {
                    let log = &mut logs[*log];
                    let deciding = tanks.decide(log.id, DecideOptions::NONE, |level| {
                        let litres = u64::from(*litres) + level.filled % 2;
                        Ok::<_, ()>([TankEvent::Drained { litres }])
                    });
                    let decided = deciding.await.unwrap();
                    let litres = litres + u8::from(log.expected.filled % 2 == 1);
                    log.expect(Kind::Drained(litres));
                    log.check(decided.aggregation());
                }
                Step::Reduce(log, fresh) => {
                    let log = &logs[*log];
                    let freshness = match fresh {
                        Fresh::Latest => Freshness::Latest,
                        Fresh::Cached => Freshness::Cached,
                        Fresh::AtMost(millis) => Freshness::AtMost(Duration::from_millis(*millis)),
                    };
                    let options = ReduceOptions { freshness };
                    let found = tanks.reduce_with(log.id, &options).await.unwrap();
                    assert_eq!(found.log_id(), log.id);
                    if matches!(fresh, Fresh::Latest | Fresh::AtMost(0)) {
                        log.check(&found);
                        seen.push(found);
                    }
                }
                Step::ReduceMany => {
                    let ids: Vec<_> = logs.iter().map(|log| log.id).collect();
                    let twice = ids.iter().chain(&ids).copied();
                    let found = tanks.reduce_many(twice).await;
                    for (log, found) in logs.iter().chain(&logs).zip(found) {
                        log.check(&found.unwrap());
                    }
                }
                Step::Flush => tanks.flush_cache().await,
                Step::Lose(log, tier) => {
                    tanks.flush_cache().await;
                    caches.lose(*tier, logs[*log].id).await;
                }
                Step::Older(log, tier) => {
                    let log_id = logs[*log].id;
                    tanks.flush_cache().await;
                    if let Some(older) = seen.iter().find(|seen| seen.log_id() == log_id) {
                        let reach = *older.reach();
                        let (state, time) = (older.shared_aggregate(), older.reduced_at());
                        let older = Aggregation::from_parts(state, reach, time);
                        caches.put(*tier, older).await;
                    }
                }
                Step::Forged(log, tier, index) => {
                    let log_id = logs[*log].id;
                    tanks.flush_cache().await;
                    let now = chrono::Utc::now();
                    let reach = ReducedThrough {
                        log_id,
                        index: u64::from(*index),
                        event_id: EventId::new(),
                        created_at: now,
                        updated_at: now,
                    };
                    let forged = Arc::new(Level {
                        filled: 1_000_000,
                        ..Level::default()
                    });
                    let forged = Aggregation::from_parts(forged, reach, now);
                    caches.put(*tier, forged).await;
                }
            }
        }
        for log in &logs {
            log.check(&tanks.reduce(log.id).await.unwrap());
            let end = PointInTime::Index(u64::MAX);
            log.check(&tanks.reduce_at(log.id, end).await.unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: effort::scaled(24), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_latest_state_is_the_fold_of_all_events(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fake = FakeEventStore::<TankEvent>::encoding();
            let last_year = fake.read_as::<last_year::TankEvent>().expect("it encodes");
            Case { store: fake, last_year }.run(&steps).await;
            let sqlite = SqliteEventStore::in_memory().await.unwrap();
            Case { store: sqlite.clone(), last_year: sqlite }.run(&steps).await;
            if let Some(server) = TestStore::new().await {
                let store = server.store;
                Case { store: store.clone(), last_year: store }.run(&steps).await;
            }
        });
    }
}
