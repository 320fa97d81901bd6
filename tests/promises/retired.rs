//! Retired events are read, and no longer written: on every store, in every way to write.

use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{AppendRequest, InvalidAppend};
use eventlogs::testing::given;
use eventlogs::{
    Aggregate, AppendOptions, Appends, CreateOptions, DecideError, DecideOptions, Event,
    EventStore, LogManager, LogManagerError, LogManagerOptions, MemoryAggregationCache,
    event_handler,
};
use std::convert::Infallible;

/// The events before one of them was retired.
mod past {
    #[derive(Debug, Clone, eventlogs::Event)]
    pub(super) enum TankEvent {
        #[event(name = "tank.filled")]
        Filled { litres: u64 },
        #[event(name = "tank.topped_up")]
        ToppedUp { litres: u64 },
    }
}

#[derive(Debug, Clone, PartialEq, Event)]
enum TankEvent {
    #[event(name = "tank.filled")]
    Filled { litres: u64 },
    #[event(name = "tank.topped_up", retired)]
    ToppedUp { litres: u64 },
}

#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = TankEvent)]
struct Tank {
    litres: u64,
}

#[event_handler(TankEvent)]
impl Tank {
    #[on(Filled | ToppedUp)]
    fn fill(&mut self, litres: u64) {
        self.litres += litres;
    }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, LogManagerError>) {
    let retired = InvalidAppend::Retired {
        event_type: "tank.topped_up",
        variant: "ToppedUp",
    };
    match result {
        Err(LogManagerError::Invalid(refused)) => assert_eq!(refused, retired),
        other => panic!("{other:?}"),
    }
}

fn of_log(error: DecideError<Infallible>) -> LogManagerError {
    match error {
        DecideError::Log(error) => error,
        other => panic!("{other}"),
    }
}

fn filled(litres: u64) -> TankEvent {
    TankEvent::Filled { litres }
}

fn topped_up(litres: u64) -> TankEvent {
    TankEvent::ToppedUp { litres }
}

async fn retired_events<S>(old: impl EventStore<past::TankEvent>, store: S)
where
    S: EventStore<TankEvent> + Clone,
{
    let tanks = LogManager::<Tank>::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    let past = [
        past::TankEvent::Filled { litres: 1 },
        past::TankEvent::ToppedUp { litres: 10 },
    ];
    old.append(AppendRequest::create(log_id, &past))
        .await
        .unwrap();
    assert_eq!(tanks.reduce(log_id).await.unwrap().aggregate().litres, 11);
    refusals(&tanks, log_id).await;
}

/// Tries to write a retired event in every way to a log whose state is 11.
async fn refusals(tanks: &LogManager<Tank>, log_id: LogId) {
    let state = tanks.reduce(log_id).await.unwrap().state();
    let retired = topped_up(100);
    let both = [filled(1_000), retired.clone()];
    let other = LogId::new();
    let options = AppendOptions::default();
    assert_refused(
        tanks
            .create(other, &retired, &CreateOptions::default())
            .await,
    );
    assert_refused(tanks.append(state, &retired, &options).await);
    assert_refused(tanks.append_all(state, &both, &options).await);
    let across = Appends::new()
        .append(state, both.clone())
        .create(other, [filled(1)]);
    assert_refused(tanks.append_across(across, &options).await);
    let decided = tanks
        .decide(log_id, &DecideOptions::default(), |_| {
            Ok::<_, Infallible>(both.clone())
        })
        .await;
    assert_refused(decided.map_err(of_log));
    let decided = tanks
        .decide_each([log_id], &DecideOptions::default(), |_| {
            Ok::<_, Infallible>([both.clone()])
        })
        .await;
    assert_refused(decided.map_err(of_log));

    // Nothing was stored, and the log can be written to.
    tanks.append(state, &filled(100), &options).await.unwrap();
    assert_eq!(tanks.reduce(log_id).await.unwrap().aggregate().litres, 111);
    let missing = tanks.reduce(other).await;
    assert!(
        matches!(missing, Err(LogManagerError::LogNotFound { .. })),
        "{missing:?}"
    );
}

#[tokio::test]
async fn retired_events_are_read_and_not_written_on_the_fake() {
    let store = FakeEventStore::<TankEvent>::encoding();
    retired_events(store.read_as().expect("it encodes"), store).await;
}

/// Of a store of plain values, only the managers of derived aggregates know which events are retired.
#[tokio::test]
async fn retired_events_are_not_written_to_a_fake_of_plain_values() {
    let store = FakeEventStore::<TankEvent>::new();
    let tanks = LogManager::<Tank>::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    let past = [filled(1), topped_up(10)];
    store
        .append(AppendRequest::create(log_id, &past))
        .await
        .unwrap();
    assert_eq!(tanks.reduce(log_id).await.unwrap().aggregate().litres, 11);
    refusals(&tanks, log_id).await;
}

/// The test kit fails a decision that would be refused in production.
#[test]
#[should_panic(expected = "the decision returned a retired event: `tank.topped_up` is retired")]
fn a_decision_for_a_retired_event_fails_its_test() {
    let scenario = given::<Tank>([topped_up(10)]).reduces_to(Tank { litres: 10 });
    let _ = scenario.when(|_| Ok::<_, Infallible>([topped_up(1)]));
}

#[tokio::test]
async fn retired_events_are_read_and_not_written_on_sqlite() {
    let store = TemporaryStore::open().await.kept();
    retired_events(store.clone(), store).await;
}

#[tokio::test]
async fn retired_events_are_read_and_not_written_on_postgres() {
    if let Some(store) = TestStore::new().await {
        retired_events(store.store.clone(), store.store.clone()).await;
    }
}
