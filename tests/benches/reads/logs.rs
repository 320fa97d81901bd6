//! The logs that are read.

use crate::common::payments::{Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, Aggregation, CreateOptions, Event, LogManager, LogManagerOptions,
    MemoryAggregationCache,
};
use futures_util::future::join_all;
use sqlx::Executor;
use std::sync::Arc;
use uuid::Uuid;

/// Creates a manager that caches nothing.
pub(crate) fn uncached<A: Aggregate<Event: Event>>(postgres: &Postgres) -> LogManager<A> {
    let options = LogManagerOptions {
        caching_policy: Some(Arc::new(|_: &Aggregation<A>| false)),
        ..Default::default()
    };
    LogManager::new(
        postgres.store.clone(),
        MemoryAggregationCache::default(),
        options,
    )
}

/// Removes all events.
pub(crate) async fn clear(postgres: &Postgres) {
    postgres
        .pool
        .execute("truncate events")
        .await
        .expect("the role owns the table");
}

/// Creates logs of captures.
pub(crate) async fn payments(postgres: &Postgres, logs: usize, events: usize) -> Vec<LogId> {
    let event = PaymentEvent::Captured(Capture::of(100));
    copies(
        postgres,
        &uncached::<Payment>(postgres),
        &event,
        logs,
        events,
    )
    .await
}

/// Creates logs whose events are all alike. The library writes one event, and the server copies it.
pub(crate) async fn copies<A: Aggregate>(
    postgres: &Postgres,
    manager: &LogManager<A>,
    event: &A::Event,
    logs: usize,
    events: usize,
) -> Vec<LogId> {
    const COPY: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, log_type,
                            kind)
        select log.id, index, gen_random_uuid(), e.event_type, e.event_version, e.codec, e.payload, e.recorded_at,
               case index when 0 then e.log_type end, e.kind
        from events e, unnest($1::uuid[]) log (id), generate_series(0, $2::bigint - 1) index
        where e.log_id = $3
        order by log.id, index";
    let pool = &postgres.pool;
    let original = LogId::new();
    manager
        .create(&original, event, &CreateOptions::default())
        .await
        .expect("the log is new");
    // The ids rise with time, as those of the library do.
    let ids: Vec<Uuid> = (0..logs).map(|_| Uuid::now_v7()).collect();
    sqlx::query(COPY)
        .bind(&ids)
        .bind(i64::try_from(events).expect("a small number"))
        .bind(original.as_uuid())
        .execute(pool)
        .await
        .expect("the logs are new");
    sqlx::query("delete from events where log_id = $1")
        .bind(original.as_uuid())
        .execute(pool)
        .await
        .expect("the role owns the table");
    pool.execute("vacuum analyze events")
        .await
        .expect("the role owns the table");
    postgres.settle().await;
    ids.into_iter().map(LogId::from).collect()
}

/// Loads all logs into the cache. Not all at once, since its queue is bounded.
pub(crate) async fn warm_up<A: Aggregate>(manager: &LogManager<A>, logs: &[LogId]) {
    for logs in logs.chunks(100) {
        for reduced in join_all(logs.iter().map(|log| manager.reduce(log))).await {
            reduced.expect("the log was just created");
        }
        manager.flush_cache().await;
    }
    for log in logs {
        let reduced = manager.reduce(log).await.expect("the log exists");
        assert_eq!(reduced.applied_events(), 0, "the cache has the log");
    }
}

/// Assigns each log to exactly one task.
pub(crate) fn dealt_out<T: Clone>(logs: &[T], tasks: usize) -> Vec<InTurn<T>> {
    (0..tasks)
        .map(|task| InTurn {
            logs: logs.iter().skip(task).step_by(tasks).cloned().collect(),
            turn: 0,
        })
        .collect()
}

/// The logs of a task, which it uses one after the other.
#[derive(Debug)]
pub(crate) struct InTurn<T> {
    logs: Vec<T>,
    turn: usize,
}

impl<T> InTurn<T> {
    /// Returns the next log.
    pub(crate) fn next(&mut self) -> &mut T {
        let place = self.turn % self.logs.len();
        self.turn += 1;
        &mut self.logs[place]
    }
}
