//! One append inside the writer's transaction, which holds the write lock: what it sees is true until it commits.

use super::error;
use super::read::{event_id, log_id, time};
use crate::LogState;
use crate::stores::decoded::signed;
use crate::stores::encoded::{EncodedAppend, EncodedEvent};
use crate::stores::{AppendError, Expected, Replay, StoreError};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// The scope of keys that are unique among all logs.
const GLOBAL: &[u8] = &[0; 16];

/// What all rows of one transaction have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// The database's epoch.
    epoch: i64,
    /// The transaction's number: the first position that it can give out.
    tx: i64,
    /// The time, in microseconds since 1970.
    now: i64,
}

/// The stamp of the transaction that this connection is in.
pub(super) async fn stamp(connection: &mut SqliteConnection) -> Result<Stamp, StoreError> {
    const STAMP: &str =
        "select epoch, (select coalesce(max(position), 0) + 1 from events) from meta";
    let row = sqlx::query(STAMP)
        .fetch_one(connection)
        .await
        .map_err(error::of)?;
    Ok(Stamp {
        epoch: row.try_get(0).map_err(error::of)?,
        tx: row.try_get(1).map_err(error::of)?,
        now: Utc::now().timestamp_micros(),
    })
}

/// Appends, or says why not; the outer error ends the whole transaction.
///
/// Two statements for one event without a key, the guard and the insert being one of them. Only what was refused is
/// looked into.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    append: &EncodedAppend,
    stamp: Stamp,
) -> Result<Result<DateTime<Utc>, AppendError>, StoreError> {
    let Some((head, tail)) = append.events.split_first() else {
        // Refused before it was encoded.
        return Ok(Err(crate::stores::InvalidAppend::NoEvents.into()));
    };
    let Some(recorded_at) = insert_head(connection, append, head, stamp).await? else {
        return why_refused(connection, append, head).await;
    };
    for (event, index) in tail.iter().zip(append.first_index + 1..) {
        insert_tail(connection, append, event, index, recorded_at, stamp).await?;
    }
    if let Some(key) = &append.idempotency_key {
        insert_key(connection, append, key, recorded_at).await?;
    }
    Ok(Ok(time(recorded_at)))
}

/// The first event, guarded: its predecessor must be the one that the caller saw, its place must be free, and its key
/// must be new. Returns the recorded time, or nothing if the guard refused.
async fn insert_head(
    connection: &mut SqliteConnection,
    append: &EncodedAppend,
    event: &EncodedEvent,
    stamp: Stamp,
) -> Result<Option<i64>, StoreError> {
    const INSERT: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                            recorded_at, log_type, epoch, tx)
        select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, max(?9, coalesce(previous.recorded_at, 0)), ?10, ?11, ?12
        from (select 1) left join events previous on previous.log_id = ?1 and previous.event_index = ?2 - 1
        where (?2 = 0 or (previous.event_id is not null and (?13 is null or previous.event_id = ?13)))
          and (?14 is null or not exists (select 1 from idempotency_keys where scope = ?15 and key = ?14))
        on conflict (log_id, event_index) do nothing
        returning recorded_at";
    let previous = match &append.expected {
        Expected::After {
            event_id: Some(event_id),
            ..
        } => Some(&event_id.as_bytes()[..]),
        _ => None,
    };
    let log_type = append
        .log_type
        .as_deref()
        .filter(|_| append.first_index == 0);
    let row = sqlx::query(INSERT)
        .bind(&append.log_id.as_bytes()[..])
        .bind(signed(append.first_index))
        .bind(&event.id.as_bytes()[..])
        .bind(event.event_type.name)
        .bind(i64::from(event.event_type.version))
        .bind(event.codec)
        .bind(&event.payload[..])
        .bind(append.occurred_at.map(|time| time.timestamp_micros()))
        .bind(stamp.now)
        .bind(log_type)
        .bind(stamp.epoch)
        .bind(stamp.tx)
        .bind(previous)
        .bind(append.idempotency_key.as_ref().map(String::as_bytes))
        .bind(GLOBAL)
        .fetch_optional(connection)
        .await
        .map_err(error::of)?;
    row.map(|row| row.try_get(0)).transpose().map_err(error::of)
}

/// The events behind the first. Theirs is the only history that can hold these places, so a clash is an error.
async fn insert_tail(
    connection: &mut SqliteConnection,
    append: &EncodedAppend,
    event: &EncodedEvent,
    index: u64,
    recorded_at: i64,
    stamp: Stamp,
) -> Result<(), StoreError> {
    const INSERT: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, occurred_at,
                            recorded_at, epoch, tx)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(INSERT)
        .bind(&append.log_id.as_bytes()[..])
        .bind(signed(index))
        .bind(&event.id.as_bytes()[..])
        .bind(event.event_type.name)
        .bind(i64::from(event.event_type.version))
        .bind(event.codec)
        .bind(&event.payload[..])
        .bind(append.occurred_at.map(|time| time.timestamp_micros()))
        .bind(recorded_at)
        .bind(stamp.epoch)
        .bind(stamp.tx)
        .execute(connection)
        .await
        .map_err(error::of)?;
    Ok(())
}

async fn insert_key(
    connection: &mut SqliteConnection,
    append: &EncodedAppend,
    key: &str,
    recorded_at: i64,
) -> Result<(), StoreError> {
    const INSERT: &str = "
        insert into idempotency_keys (scope, key, part, log_id, first_index, event_count, event_id, recorded_at)
        values (?, ?, 0, ?, ?, ?, ?, ?)";
    let last = append.state_after();
    sqlx::query(INSERT)
        .bind(GLOBAL)
        .bind(key.as_bytes())
        .bind(&append.log_id.as_bytes()[..])
        .bind(signed(append.first_index))
        .bind(signed(append.events.len() as u64))
        .bind(last.event_id().as_ref().map(|id| &id.as_bytes()[..]))
        .bind(recorded_at)
        .execute(connection)
        .await
        .map_err(error::of)?;
    Ok(())
}

/// Why the guard refused, in the order own event, key, index: an own event comes first, because this may be the second
/// attempt of a write whose first one went through.
async fn why_refused(
    connection: &mut SqliteConnection,
    append: &EncodedAppend,
    head: &EncodedEvent,
) -> Result<Result<DateTime<Utc>, AppendError>, StoreError> {
    const EXISTS: &str = "select exists (select 1 from events where log_id = ?)";
    const AT_INDEX: &str =
        "select event_id, recorded_at from events where log_id = ? and event_index = ?";
    let stored = sqlx::query(AT_INDEX)
        .bind(&append.log_id.as_bytes()[..])
        .bind(signed(append.first_index))
        .fetch_optional(&mut *connection)
        .await
        .map_err(error::of)?;
    if let Some(stored) = stored
        && event_id(&stored, 0)? == head.id
    {
        return Ok(Ok(time(stored.try_get(1).map_err(error::of)?)));
    }
    if let Some(key) = &append.idempotency_key
        && let Some(replay) = find_key(connection, key).await?
    {
        return Ok(Err(AppendError::Replay(replay)));
    }
    let log_id = append.log_id;
    let row = sqlx::query(EXISTS)
        .bind(&log_id.as_bytes()[..])
        .fetch_one(connection)
        .await
        .map_err(error::of)?;
    let exists = row.try_get(0).map_err(error::of)?;
    Ok(Err(match (append.expected, exists) {
        (Expected::NewLog, _) => AppendError::LogAlreadyExists { log_id },
        (Expected::After { .. }, false) => AppendError::LogNotFound { log_id },
        (Expected::After { .. }, true) => AppendError::Conflict {
            log_id,
            event_index: append.first_index,
        },
    }))
}

/// The write that used a key.
pub(super) async fn find_key(
    connection: &mut SqliteConnection,
    key: &str,
) -> Result<Option<Replay>, StoreError> {
    const FIND: &str = "
        select log_id, first_index, event_count, event_id, recorded_at
        from idempotency_keys where scope = ? and key = ? order by part limit 1";
    let row = sqlx::query(FIND)
        .bind(GLOBAL)
        .bind(key.as_bytes())
        .fetch_optional(connection)
        .await
        .map_err(error::of)?;
    row.as_ref().map(replay).transpose()
}

fn replay(row: &SqliteRow) -> Result<Replay, StoreError> {
    let first_index = row.try_get::<i64, _>(1).map_err(error::of)?.unsigned_abs();
    let event_count = row.try_get::<i64, _>(2).map_err(error::of)?.unsigned_abs();
    let last = first_index.saturating_add(event_count.saturating_sub(1));
    Ok(Replay {
        first_index,
        event_count,
        state: LogState::new(log_id(row, 0)?, last, event_id(row, 3)?),
        recorded_at: time(row.try_get(4).map_err(error::of)?),
    })
}
