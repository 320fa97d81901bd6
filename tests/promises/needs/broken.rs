//! Payloads that another program has damaged, and logs of another kind.

use super::domain::{Level, TankEvent, manager, with_every_cache};
use super::{filled, not_decoded, reduced};
use crate::payments::PaymentEvent;
use crate::postgres::TestStore;
use crate::sqlite_file::{TemporaryStore, execute};
use eventlogs::codec::DecodeProblem;
use eventlogs::ids::LogId;
use eventlogs::{
    AppendOptions, CreateOptions, EventStore, LogManagerError, MemoryAggregationCache,
};

/// Bytes that no codec reads, put into the database by another program.
async fn broken_bytes(
    store: impl EventStore<TankEvent> + Clone,
    execute: impl AsyncFn(&'static str),
    sql: [&'static str; 2],
) {
    let mut logs = Vec::new();
    let colour = || "red".to_owned();
    for tanks in with_every_cache::<Level>(&store) {
        let log_id = LogId::new();
        let state = tanks
            .create(&log_id, &filled(1), &CreateOptions::default())
            .await
            .unwrap();
        let (level, index, _) = reduced(&tanks, log_id).await;
        assert_eq!((level.filled, index), (1, 0));
        let events = [TankEvent::Painted { colour: colour() }, filled(10)];
        tanks
            .append_all(state, &events, &AppendOptions::default())
            .await
            .unwrap();
        logs.push((tanks, log_id));
    }
    let [spoil_ignored, spoil_handled] = sql;
    execute(spoil_ignored).await;
    let expected = Level {
        filled: 11,
        changes: 2,
        ..Level::default()
    };
    for (tanks, log_id) in &logs {
        let cold = manager::<Level>(store.clone(), MemoryAggregationCache::default());
        assert_eq!(reduced(&cold, *log_id).await, (expected.clone(), 2, 3));
        let single = tanks.reduce_many([*log_id]).await.remove(0).unwrap();
        assert_eq!((single.aggregate(), single.through_index()), (&expected, 2));
        assert_eq!(single.applied_events(), 2);
    }
    execute(spoil_handled).await;
    for (tanks, log_id) in &logs {
        tanks.forget_cached(*log_id).await.unwrap();
        let problem = not_decoded(tanks.reduce(*log_id).await, 0);
        assert!(matches!(problem, DecodeProblem::Payload(_)), "{problem:?}");
    }
}

#[tokio::test]
async fn broken_bytes_of_an_ignored_event_harm_nobody_on_sqlite() {
    let file = TemporaryStore::open().await;
    let path = file.path();
    let sql = [
        "update events set payload = x'ff00ff' where event_type = 'tank.painted'",
        "update events set payload = x'ff00ff' where event_type = 'tank.filled'",
    ];
    broken_bytes(file.kept(), async |sql| execute(&path, sql).await, sql).await;
}

#[tokio::test]
async fn broken_bytes_of_an_ignored_event_harm_nobody_on_postgres() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let sql = [
        r"update events set payload = '\xff00ff' where event_type = 'tank.painted'",
        r"update events set payload = '\xff00ff' where event_type = 'tank.filled'",
    ];
    let store = server.store.clone();
    broken_bytes(store, async |sql| server.execute(sql).await, sql).await;
}

/// The kind is compared, also if the first event is one that is ignored.
#[tokio::test]
async fn a_log_of_another_kind_is_found_out_whatever_is_ignored() {
    let file = TemporaryStore::open().await;
    other_kind(file.kept()).await;
    if let Some(store) = TestStore::new().await {
        other_kind(store.store).await;
    }
}

async fn other_kind<S>(store: S)
where
    S: EventStore<PaymentEvent> + EventStore<TankEvent> + Clone,
{
    let payments = crate::payments::payments(store.clone());
    let log_id = LogId::new();
    let rated = PaymentEvent::Rated(1.0);
    payments
        .create(&log_id, &rated, &CreateOptions::default())
        .await
        .unwrap();
    for tanks in with_every_cache::<Level>(&store) {
        let single = tanks.reduce(log_id).await;
        let many = tanks.reduce_many([log_id]).await.remove(0);
        for refused in [single, many] {
            assert!(
                matches!(refused, Err(LogManagerError::WrongKind { .. })),
                "{refused:?}"
            );
        }
    }
}
