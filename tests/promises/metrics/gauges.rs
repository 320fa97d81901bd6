//! The gauges of queues and connections.

use super::recorder::Measured;
use crate::payments::{PaymentEvent, captured, payments};
use crate::postgres::TestStore;
use crate::processes::{is_alone, run_alone};
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::{
    CreateOptions, EventStore, LogManager, PointInTime, PostgresOptions, SqliteEventStore,
    SqliteOptions,
};
use futures_util::future::join_all;
use std::time::Duration;

/// The stores of other tests would add to the gauges.
#[test]
fn gauges_add_up_the_stores_of_a_process() {
    run_alone("metrics::gauges::alone");
}

/// When run with other tests, it does nothing.
#[tokio::test]
async fn alone() {
    if is_alone() {
        of_files().await;
        of_servers().await;
    }
}

/// The last value of a gauge, and the greatest one.
fn gauge(measured: &Measured, name: &str, labels: &[(&str, &str)]) -> (f64, f64) {
    let values = measured.with(name, labels);
    let last = values.last().copied();
    let greatest = values.into_iter().fold(f64::MIN, f64::max);
    (last.unwrap_or_else(|| panic!("no {name}")), greatest)
}

/// Waits until the gauge has this value.
async fn until(measured: &Measured, name: &str, labels: &[(&str, &str)], expected: f64) {
    let begun = std::time::Instant::now();
    while (gauge(measured, name, labels).0 - expected).abs() > 0.1 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn create_many(payments: &LogManager<crate::payments::Payment>, many: usize) -> Vec<LogId> {
    let ids: Vec<_> = (0..many).map(|_| LogId::new()).collect();
    let event = PaymentEvent::Requested { amount: 1 };
    let created = ids
        .iter()
        .map(|id| payments.create(id, &event, CreateOptions::NONE));
    for created in join_all(created).await {
        created.unwrap();
    }
    ids
}

async fn of_files() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |name: &str| {
        let options = SqliteOptions {
            readers: 2,
            ..Default::default()
        };
        let path = folder.path().join(name);
        SqliteEventStore::open_with(path, options).await.unwrap()
    };
    // The recorder comes after the stores.
    let (one, other) = (open("one.db").await, open("other.db").await);
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let managers = [payments(one), payments(other)];
    let created = managers.iter().map(|manager| create_many(manager, 20));
    let created = join_all(created).await;
    let store = [("store", "sqlite")];
    let (queued, most) = gauge(&measured, "eventlogs_queue_writes", &store);
    assert_eq!(
        (queued.to_string(), most.to_string()),
        ("0".into(), "40".into())
    );
    let (bytes, most) = gauge(&measured, "eventlogs_queue_bytes", &store);
    assert_eq!(bytes.to_string(), "0");
    assert!(most >= 40.0, "{most}");

    let loads = managers.iter().zip(&created).flat_map(|(manager, ids)| {
        ids.iter().map(|id| async {
            manager.load(*id, 0, 10).await.unwrap();
        })
    });
    join_all(loads).await;
    let readers = [("store", "sqlite"), ("pool", "readers")];
    let (in_use, most) = gauge(&measured, "eventlogs_connections_in_use", &readers);
    assert_eq!(in_use.to_string(), "0");
    assert!((2.0..=4.0).contains(&most), "{most}");
    let (waiting, most) = gauge(&measured, "eventlogs_connections_waiting", &readers);
    assert_eq!(waiting.to_string(), "0");
    assert!(most >= 10.0, "{most}");
    let (max, _) = gauge(&measured, "eventlogs_connections_max", &readers);
    assert_eq!(max.to_string(), "4");
    let (open, most) = gauge(&measured, "eventlogs_connections_open", &readers);
    assert!((2.0..=4.0).contains(&open) && most <= 4.0, "{open} {most}");
    let (idle, _) = gauge(&measured, "eventlogs_connections_idle", &readers);
    assert_eq!(idle.to_string(), open.to_string());
    let writer = [("store", "sqlite"), ("pool", "writer")];
    let (in_use, _) = gauge(&measured, "eventlogs_connections_in_use", &writer);
    assert_eq!(in_use.to_string(), "0");

    let [one, other] = managers;
    drop(one);
    until(&measured, "eventlogs_connections_max", &readers, 2.0).await;
    drop(other);
    for name in ["max", "open", "idle"] {
        let name = format!("eventlogs_connections_{name}");
        until(&measured, &name, &readers, 0.0).await;
    }
}

async fn of_servers() {
    let options = PostgresOptions {
        max_connections: 2,
        ..Default::default()
    };
    let Some(store) = TestStore::with(options).await else {
        return;
    };
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    reads_wait(store.store.clone(), 100).await;
    let name = [("store", "postgres")];
    let (waiting, most) = gauge(&measured, "eventlogs_waiting_reads", &name);
    assert_eq!(waiting.to_string(), "0");
    assert!((10.0..=100.0).contains(&most), "{most}");
    for gauge_of in ["eventlogs_queue_writes", "eventlogs_queue_bytes"] {
        assert_eq!(gauge(&measured, gauge_of, &name).0.to_string(), "0");
    }
    let readers = [("store", "postgres"), ("pool", "readers")];
    let (in_use, most) = gauge(&measured, "eventlogs_connections_in_use", &readers);
    assert_eq!(
        (in_use.to_string(), most.to_string()),
        ("0".into(), "2".into())
    );
    let (waiting, most) = gauge(&measured, "eventlogs_connections_waiting", &readers);
    assert_eq!(waiting.to_string(), "0");
    assert!(most >= 10.0, "{most}");
    let (open, most) = gauge(&measured, "eventlogs_connections_open", &readers);
    assert_eq!(
        (open.to_string(), most.to_string()),
        ("2".into(), "2".into())
    );
    let (idle, _) = gauge(&measured, "eventlogs_connections_idle", &readers);
    assert_eq!(idle.to_string(), "2");
    store.store.close().await;
    for name in ["open", "idle", "in_use"] {
        let name = format!("eventlogs_connections_{name}");
        assert_eq!(
            gauge(&measured, &name, &readers).0.to_string(),
            "0",
            "{name}"
        );
    }
}

/// Reduces many logs at the same time, from a cache and from the start.
async fn reads_wait(store: impl EventStore<PaymentEvent> + Clone, many: usize) {
    let payments = payments(store);
    let ids = create_many(&payments, many).await;
    for reduced in join_all(ids.iter().map(|id| payments.reduce(*id))).await {
        reduced.unwrap();
    }
    payments.flush_cache().await;
    for reduced in join_all(ids.iter().map(|id| payments.reduce(*id))).await {
        reduced.unwrap();
    }
    let at = PointInTime::Index(0);
    for reduced in join_all(ids.iter().map(|id| payments.reduce_at(*id, at))).await {
        reduced.unwrap();
    }
}

/// Lets reads wait on every store.
pub(super) async fn waiting() -> Measured {
    let measured = Measured::default();
    let _guard = metrics::set_default_local_recorder(&measured);
    let file = TemporaryStore::open().await;
    captured(&payments(file.store.clone())).await;
    reads_wait(file.store.clone(), 20).await;
    if let Some(store) = TestStore::new().await {
        reads_wait(store.store, 50).await;
    }
    measured.clone()
}
