//! Many events, and projections that follow them.

use crate::common::payments::{CAPTURED, Capture, PaymentEvent};
use crate::common::postgres::Postgres;
use eventlogs::ids::LogId;
use eventlogs::projection::{Database, Elsewhere, HandlerError, Projection};
use eventlogs::sqlx::{self, PgConnection};
use eventlogs::{Event, EventRecord, FeedEvent, FeedRecord, LogPosition, event_handler};
use serde::{Deserialize, Serialize};
use sqlx::Executor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of events per log.
const PER_LOG: usize = 100;

/// Removes all events, and stores this many new ones.
pub(crate) async fn fill(postgres: &Postgres, events: usize) {
    let pool = &postgres.pool;
    let clear = "truncate events; truncate checkpoints; truncate subscriptions";
    pool.execute(clear).await.expect("the tables exist");
    let kind = PaymentEvent::LOG_TYPE;
    let insert = "insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at,
                      log_type, kind)
                  select ('00000000-0000-7000-8000-' || lpad(to_hex(log), 12, '0'))::uuid, index,
                         ('00000000-0000-7000-' || lpad(to_hex(index), 4, '0') || '-' || lpad(to_hex(log), 12, '0'))::uuid,
                         $3, 1, 1, $4, now(), case index when 0 then $5 end, $6
                  from generate_series(0, $2 - 1) index, generate_series(1, $1) log";
    let logs = i32::try_from(events / PER_LOG).expect("a small number");
    let per_log = i32::try_from(PER_LOG).expect("a small number");
    sqlx::query(insert)
        .bind(logs)
        .bind(per_log)
        .bind(CAPTURED)
        .bind(Capture::of(100).to_json())
        .bind(kind.name())
        .bind(kind.number())
        .execute(pool)
        .await
        .expect("the events fit the tables");
    pool.execute("vacuum analyze events")
        .await
        .expect("the role owns the table");
    postgres.settle().await;
}

/// Returns the position of the last of this many events.
pub(crate) fn last_event(events: usize) -> LogPosition {
    let id = format!("00000000-0000-7000-8000-{:012x}", events / PER_LOG);
    let log_id = id.parse().expect("it is a UUID");
    LogPosition::at(log_id, PER_LOG as u64 - 1)
}

/// The statement of the handlers, by the library and by hand.
const ADD: &str = "insert into bench_totals.totals (log_id, captured) values ($1, $2)
                   on conflict (log_id) do update set captured = totals.captured + excluded.captured";

/// Adds a capture to the sum of its log.
pub(crate) async fn add(
    log_id: LogId,
    capture: &Capture,
    db: &mut PgConnection,
) -> sqlx::Result<()> {
    let add = sqlx::query(ADD).bind(*log_id.as_uuid());
    add.bind(capture.amount.cast_signed())
        .execute(db)
        .await
        .map(|_| ())
}

/// The sums of all logs, in a table.
#[derive(eventlogs::Projection)]
#[projection(
    name = "bench_totals",
    events(PaymentEvent),
    database = postgres,
    create = "create table totals (log_id uuid primary key, captured bigint not null)"
)]
pub(crate) struct Totals;

#[event_handler(PaymentEvent, ignore(Voided))]
impl Totals {
    #[on(Captured(capture))]
    async fn capture(
        &self,
        capture: &Capture,
        #[record] record: &FeedRecord<PaymentEvent>,
        #[context] db: &mut PgConnection,
    ) -> sqlx::Result<()> {
        add(record.log_id(), capture, db).await
    }
}

/// The same sums, as rows.
#[derive(Debug, Default, Clone, Serialize, Deserialize, eventlogs::Projection)]
#[projection(
    name = "bench_totals",
    events(PaymentEvent),
    database = postgres,
    table = "totals",
    create = "create table totals (log_id uuid primary key, captured bigint not null)"
)]
pub(crate) struct TotalRow {
    #[key]
    log_id: LogId,
    captured: u64,
}

#[event_handler(PaymentEvent, ignore(Voided))]
impl TotalRow {
    #[on(Captured(capture))]
    fn capture(&mut self, capture: &Capture) {
        self.captured += capture.amount;
    }
}

/// The number of events and their sum, in memory. Several of them have several names.
#[derive(Debug, Default)]
pub(crate) struct Counter<const NUMBER: usize> {
    /// What was counted.
    pub(crate) counted: Arc<Counted>,
}

/// The number of events and their sum.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// The number.
    pub(crate) events: AtomicU64,
    sum: AtomicU64,
}

const NAMES: [&str; 10] = [
    "bench_0", "bench_1", "bench_2", "bench_3", "bench_4", "bench_5", "bench_6", "bench_7",
    "bench_8", "bench_9",
];

impl<const NUMBER: usize> Projection for Counter<NUMBER> {
    type Database = Elsewhere;

    const NAME: &'static str = NAMES[NUMBER];

    const SOURCES: &'static [eventlogs::feed::Source] =
        &[eventlogs::feed::Source::new::<PaymentEvent>(
            eventlogs::feed::Interest::Except(&["Voided"]),
        )];

    fn fingerprint() -> u64 {
        0
    }

    async fn apply(
        &self,
        event: &FeedEvent,
        (): &mut <Elsewhere as Database>::Connection,
    ) -> Result<(), HandlerError> {
        let record = event.decode::<PaymentEvent>()?;
        if let PaymentEvent::Captured(capture) = record.event() {
            self.counted.events.fetch_add(1, Ordering::Relaxed);
            self.counted
                .sum
                .fetch_add(capture.amount, Ordering::Relaxed);
        }
        Ok(())
    }
}
