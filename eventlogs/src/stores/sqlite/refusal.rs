//! Finds out why writes were refused.

use crate::ids::EventId;
use crate::stores::database::queue::pending::Outcome;
use crate::stores::database::refusal::{FoundKind, FoundLog};
use crate::stores::encoding::decoded::signed;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::read::{event_id, replay, time};
use crate::stores::sqlite::statements::{appends, questions};
use crate::stores::sqlite::{connection, error, values};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// Looks up the logs and keys of writes that were refused, in the order own events, key, index. Own events come first, because
/// this may be the second attempt of a write whose first attempt was stored. The result for a write is `None` if nothing
/// prevents it.
pub(super) async fn why_refused<'a>(
    connection: &mut SqliteConnection,
    writes: impl Iterator<Item = &'a EncodedWrite> + Clone,
) -> Result<Vec<Option<Outcome>>, StoreError> {
    let asked = values::asked(writes.clone());
    let mut rows = Vec::with_capacity(asked.len());
    for text in appends::refusals(&asked) {
        rows.append(&mut connection::rows(connection, text).await?);
    }
    let mut rest = rows.as_slice();
    let mut outcomes = Vec::new();
    for write in writes {
        let (own, others) = rest
            .split_at_checked(write.log_count())
            .ok_or_else(|| error::into_store_error(sqlx::Error::RowNotFound))?;
        rest = others;
        outcomes.push(why(connection, write, own).await?);
    }
    Ok(outcomes)
}

/// The outcome of one write according to the tables, with one row per append, then one per requirement.
async fn why(
    connection: &mut SqliteConnection,
    write: &EncodedWrite,
    rows: &[SqliteRow],
) -> Result<Option<Outcome>, StoreError> {
    if let Some(recorded_at) = stored_at(connection, write, rows).await? {
        return Ok(Some(Ok(time(recorded_at))));
    }
    // A write happens as a whole or not at all, so the first log that refuses it decides for all.
    let mut rows = rows.iter();
    for (append, row) in write.appends().zip(&mut rows) {
        if let Some(refusal) = refusal(append, row)? {
            return Ok(Some(Err(refusal)));
        }
    }
    for (required, row) in write.requirements.iter().zip(rows) {
        if let Some(refusal) = required.refused_by(found(row)?) {
            return Ok(Some(Err(refusal)));
        }
    }
    Ok(None)
}

/// The time at which the write was stored, if it was: all its events are stored, each at its index. An event id is not
/// guaranteed to be used only once, so the first event of each append is not enough.
async fn stored_at(
    connection: &mut SqliteConnection,
    write: &EncodedWrite,
    rows: &[SqliteRow],
) -> Result<Option<i64>, StoreError> {
    let mut recorded_at = None;
    for (append, row) in write.appends().zip(rows) {
        if optional_event_id(row, "stored_event_id")? != Some(append.head.id) {
            return Ok(None);
        }
        if recorded_at.is_none() {
            recorded_at = row
                .try_get("stored_recorded_at")
                .map_err(error::into_store_error)?;
        }
    }
    for append in write.appends().filter(|append| !append.tail.is_empty()) {
        let (first_index, events) = (signed(append.first_index), signed(append.event_count()));
        let ids = questions::event_ids(&append.log_id, first_index, events);
        let ids = connection::rows(connection, ids).await?;
        let mut events = append.events();
        for row in &ids {
            let event = events.next().map(|event| event.id);
            if event != Some(event_id(row, "event_id")?) {
                return Ok(None);
            }
        }
        if events.next().is_some() {
            return Ok(None);
        }
    }
    Ok(recorded_at)
}

/// The reason why the tables refuse one append; `None` if they do not.
fn refusal(append: &EncodedAppend, row: &SqliteRow) -> Result<Option<AppendError>, StoreError> {
    if optional_event_id(row, "key_last_event_id")?.is_some() {
        let kind = row.try_get("key_kind").map_err(error::into_store_error)?;
        return Ok(Some(append.key_used(replay(row)?, kind)));
    }
    Ok(append.refused_by(found(row)?))
}

/// The log of a row.
fn found(row: &SqliteRow) -> Result<FoundLog<'_>, StoreError> {
    let number: Option<i32> = row.try_get("log_kind").map_err(error::into_store_error)?;
    let name: Option<&str> = row.try_get("log_type").map_err(error::into_store_error)?;
    Ok(FoundLog {
        kind: number.map(|number| FoundKind { number, name }),
        stored: optional_event_id(row, "stored_event_id")?,
        predecessor: optional_event_id(row, "previous_event_id")?,
    })
}

fn optional_event_id(row: &SqliteRow, column: &str) -> Result<Option<EventId>, StoreError> {
    let bytes: Option<&[u8]> = row.try_get(column).map_err(error::into_store_error)?;
    bytes.map(|_| event_id(row, column)).transpose()
}
