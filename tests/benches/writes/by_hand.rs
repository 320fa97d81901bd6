//! The same rows written to the same tables without the library, as an author with good knowledge of the driver would do it.
//! The kind of each row is the number of `payment`.

use crate::common::payments::{CAPTURED, Capture};
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// The SQLSTATE of a duplicate primary key.
pub(crate) const UNIQUE_VIOLATION: &str = "23505";

/// A log and its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    /// Its id.
    pub(crate) id: Uuid,
    /// The index of its next event.
    pub(crate) next: i64,
}

impl Log {
    /// Creates a log without events. The id rises with time, as the ids of the library do, so that both treat the index alike.
    pub(crate) fn new() -> Self {
        Self {
            id: Uuid::now_v7(),
            next: 0,
        }
    }
}

/// Appends one event; the primary key refuses it if the index is taken.
pub(crate) async fn append(
    executor: impl PgExecutor<'_>,
    log: &mut Log,
    capture: &Capture,
) -> Result<(), sqlx::Error> {
    const INSERT: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch, kind)
        values ($1, $2, $3, $4, 1, 1, $5, now(), 1, -1281220239)";
    sqlx::query(INSERT)
        .bind(log.id)
        .bind(log.next)
        .bind(Uuid::now_v7())
        .bind(CAPTURED)
        .bind(capture.to_json())
        .execute(executor)
        .await?;
    log.next += 1;
    Ok(())
}

/// Appends one event if the index is free, and returns `true` if it was. A taken index is a result and not an error, which
/// would cost more.
pub(crate) async fn append_if_free(
    executor: impl PgExecutor<'_>,
    log: Log,
    capture: &Capture,
) -> Result<bool, sqlx::Error> {
    const INSERT: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch, kind)
        values ($1, $2, $3, $4, 1, 1, $5, now(), 1, -1281220239)
        on conflict (log_id, event_index) do nothing";
    let done = sqlx::query(INSERT)
        .bind(log.id)
        .bind(log.next)
        .bind(Uuid::now_v7())
        .bind(CAPTURED)
        .bind(capture.to_json())
        .execute(executor)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Appends one event to each of several logs, in one statement.
pub(crate) async fn append_to_each(
    connection: &mut PgConnection,
    logs: &mut [Log],
    amount: u64,
) -> Result<(), sqlx::Error> {
    const INSERT: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch, kind)
        select u.log_id, u.event_index, u.event_id, u.event_type, 1, 1, u.payload, now(), 1, -1281220239
        from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::bytea[])
             u (log_id, event_index, event_id, event_type, payload)";
    sqlx::query(INSERT)
        .bind(logs.iter().map(|log| log.id).collect::<Vec<_>>())
        .bind(logs.iter().map(|log| log.next).collect::<Vec<_>>())
        .bind(logs.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind(vec![CAPTURED; logs.len()])
        .bind(
            logs.iter()
                .map(|_| Capture::of(amount).to_json())
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await?;
    for log in logs {
        log.next += 1;
    }
    Ok(())
}

/// Creates logs that have some events already.
pub(crate) async fn logs_of(pool: &PgPool, logs: usize, events: usize) -> Vec<Log> {
    let mut logs: Vec<_> = (0..logs).map(|_| Log::new()).collect();
    let mut connection = pool
        .acquire()
        .await
        .expect("the server accepts the connection");
    for _ in 0..events {
        append_to_each(&mut connection, &mut logs, 1)
            .await
            .expect("the logs are new");
    }
    logs
}

/// Appends one event with an idempotency key: one statement, so one transaction and one round trip.
pub(crate) async fn append_with_key(
    pool: &PgPool,
    log: &mut Log,
    key: &str,
    capture: &Capture,
) -> Result<(), sqlx::Error> {
    const INSERT: &str = "
        with event as (
            insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at,
                                epoch, kind)
            values ($1, $2, $3, $4, 1, 1, $5, now(), 1, -1281220239))
        insert into idempotency_keys (scope, key, part, log_id, first_index, event_count, event_id, recorded_at, kind)
        values ('00000000-0000-0000-0000-000000000000', $6, 0, $1, $2, 1, $3, now(), -1281220239)";
    sqlx::query(INSERT)
        .bind(log.id)
        .bind(log.next)
        .bind(Uuid::now_v7())
        .bind(CAPTURED)
        .bind(capture.to_json())
        .bind(key.as_bytes())
        .execute(pool)
        .await?;
    log.next += 1;
    Ok(())
}

/// Returns the index of the event that was written with a key.
pub(crate) async fn find_key(pool: &PgPool, key: &str) -> Result<Option<i64>, sqlx::Error> {
    const FIND: &str = "
        select first_index, log_id, event_count, event_id, recorded_at from idempotency_keys
        where scope = '00000000-0000-0000-0000-000000000000' and key = $1 and part = 0";
    sqlx::query_scalar(FIND)
        .bind(key.as_bytes())
        .fetch_optional(pool)
        .await
}
