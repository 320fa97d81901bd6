//! The same work by hand: a keyset over the table of events, decoding, and a loop with a checkpoint.

use crate::common::payments::Capture;
use crate::events;
use eventlogs::ids::LogId;
use eventlogs::sqlx::{self, Executor, PgConnection, PgPool, Row};
use std::collections::HashMap;

/// The number of events per page.
const PAGE: usize = 500;

/// An event as the loop by hand reads it.
pub(crate) struct Captured {
    pub(crate) log_id: LogId,
    pub(crate) capture: Capture,
    place: (i32, i64, i64),
}

/// Reads the page after a place, behind a fence in the same statement.
pub(crate) async fn page(pool: &PgPool, after: (i32, i64, i64)) -> Vec<Captured> {
    let rows = sqlx::query(
        "select e.epoch, e.tx::text::bigint as tx_number, e.position, e.log_id, e.event_index, e.event_id, e.event_type,
                e.event_version, e.payload, e.recorded_at
         from events e
         where (e.epoch, e.tx, e.position) > ($1, $2::bigint::text::xid8, $3)
           and e.tx < pg_snapshot_xmin(pg_current_snapshot())
         order by e.epoch, e.tx, e.position
         limit 500",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(after.2)
    .fetch_all(pool)
    .await
    .expect("the server answers");
    let captured = rows.iter().map(|row| Captured {
        log_id: row.get::<uuid::Uuid, _>("log_id").into(),
        capture: Capture::from_json(row.get("payload")),
        place: (row.get("epoch"), row.get("tx_number"), row.get("position")),
    });
    captured.collect()
}

/// Reads all events, and returns their number and their sum.
pub(crate) async fn read_all(pool: &PgPool) -> (u64, u64) {
    let (mut after, mut events, mut sum) = ((0, 0, 0), 0, 0);
    loop {
        let page = page(pool, after).await;
        let Some(last) = page.last() else {
            return (events, sum);
        };
        after = last.place;
        events += page.len() as u64;
        sum += page.iter().map(|event| event.capture.amount).sum::<u64>();
    }
}

/// Creates the tables of the loop by hand.
pub(crate) async fn create(pool: &PgPool) {
    let tables = "drop schema if exists bench_totals cascade; create schema bench_totals;
                  create table bench_totals.totals (log_id uuid primary key, captured bigint not null);
                  create table bench_totals.checkpoint (epoch integer not null, tx bigint not null, position bigint not null);
                  insert into bench_totals.checkpoint values (0, 0, 0)";
    pool.execute(tables)
        .await
        .expect("the role may create schemas");
}

/// How the loop by hand writes the effects of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writing {
    /// One statement per event.
    EachEvent,
    /// The events are added up in memory, and one statement writes the sums of all logs of the page.
    Folded,
}

impl Writing {
    async fn write(self, page: &[Captured], db: &mut PgConnection) -> sqlx::Result<()> {
        match self {
            Self::EachEvent => {
                for event in page {
                    events::add(event.log_id, &event.capture, db).await?;
                }
                Ok(())
            }
            Self::Folded => add_folded(page, db).await,
        }
    }
}

/// Adds the sums of a page.
async fn add_folded(page: &[Captured], db: &mut PgConnection) -> sqlx::Result<()> {
    let mut sums: HashMap<LogId, u64> = HashMap::new();
    for event in page {
        *sums.entry(event.log_id).or_default() += event.capture.amount;
    }
    let (logs, sums): (Vec<_>, Vec<_>) = sums
        .into_iter()
        .map(|(log_id, sum)| (*log_id.as_uuid(), sum.cast_signed()))
        .unzip();
    let add = sqlx::query(
        "insert into bench_totals.totals (log_id, captured)
         select * from unnest($1::uuid[], $2::bigint[])
         on conflict (log_id) do update set captured = totals.captured + excluded.captured",
    );
    add.bind(logs).bind(sums).execute(db).await.map(|_| ())
}

/// Handles all events, one page per transaction, with a checkpoint in the same transaction.
pub(crate) async fn project_all(pool: &PgPool, writing: Writing) {
    let mut after = (0, 0, 0);
    loop {
        let page = page(pool, after).await;
        let Some(last) = page.last() else { return };
        let mut transaction = pool.begin().await.expect("the server answers");
        transaction
            .execute("set local synchronous_commit = off")
            .await
            .expect("the server answers");
        writing
            .write(&page, &mut transaction)
            .await
            .expect("the table exists");
        let moved = sqlx::query(
            "update bench_totals.checkpoint set epoch = $1, tx = $2, position = $3
             where epoch = $4 and tx = $5 and position = $6",
        )
        .bind(last.place.0)
        .bind(last.place.1)
        .bind(last.place.2)
        .bind(after.0)
        .bind(after.1)
        .bind(after.2)
        .execute(&mut *transaction)
        .await
        .expect("the table exists");
        assert_eq!(moved.rows_affected(), 1);
        transaction.commit().await.expect("the server answers");
        after = last.place;
        if page.len() < PAGE {
            return;
        }
    }
}
