//! Why writes were refused.

use crate::ids::{EventId, LogId};
use crate::stores::database::queue::pending::Outcome;
use crate::stores::database::refusal::{FoundKind, FoundLog};
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::read::replay;
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashSet;
use uuid::Uuid;

/// The finding about a write that an insert did not store.
pub(super) enum Finding {
    /// The write is settled: an earlier attempt stored it, or it cannot be stored.
    Settled(Outcome),
    /// Other writes prevent it, or are missing before it: at least one of its logs refuses it.
    Refused(Vec<Refusal>),
    /// Nothing prevents it now: it must be sent again.
    Free,
}

/// A log that does not end where a write expects.
pub(super) struct Refusal {
    /// The log.
    pub(super) log_id: LogId,
    /// The error.
    pub(super) error: AppendError,
}

/// Returns the writes of several events that seem to be stored, each with its number: the first event of each of their parts is
/// stored. Event ids need not be unique, so `stored_writes.sql` must check whether all events are stored.
pub(super) fn in_question<'a>(
    writes: &[&'a EncodedWrite],
    refusals: &[PgRow],
) -> Result<Vec<(i64, &'a EncodedWrite)>, sqlx::Error> {
    let mut in_question = Vec::new();
    for ((write, rows), number) in parts(writes, refusals)?.into_iter().zip(0..) {
        if has_several_events(write) && begins(write, rows)? {
            in_question.push((number, write));
        }
    }
    Ok(in_question)
}

/// Returns the findings about these writes from the rows of `refusals.sql`, in the order own events, key, index: own events
/// come first, because an earlier attempt may have stored the write. `stored` has the rows of `stored_writes.sql` for the
/// writes [in question](in_question).
pub(super) fn findings(
    writes: &[&EncodedWrite],
    refusals: &[PgRow],
    stored: &[PgRow],
) -> Result<Vec<Finding>, sqlx::Error> {
    let stored: HashSet<i64> = stored
        .iter()
        .map(|row| row.try_get("write"))
        .collect::<Result<_, _>>()?;
    let parts = parts(writes, refusals)?.into_iter().zip(0..);
    parts
        .map(|((write, rows), number)| {
            let is_stored = if has_several_events(write) {
                stored.contains(&number)
            } else {
                begins(write, rows)?
            };
            if is_stored {
                let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
                let recorded_at: DateTime<Utc> = first.try_get("stored_recorded_at")?;
                return Ok(Finding::Settled(Ok(recorded_at)));
            }
            finding(write, rows)
        })
        .collect()
}

/// Returns the writes, each with the rows of its parts.
fn parts<'a, 'r>(
    writes: &[&'a EncodedWrite],
    mut rows: &'r [PgRow],
) -> Result<Vec<(&'a EncodedWrite, &'r [PgRow])>, sqlx::Error> {
    let parts = writes.iter().map(|write| {
        let (own, others) = rows
            .split_at_checked(write.log_count())
            .ok_or(sqlx::Error::RowNotFound)?;
        rows = others;
        Ok((*write, own))
    });
    parts.collect()
}

fn has_several_events(write: &EncodedWrite) -> bool {
    write.appends().any(|append| !append.tail.is_empty())
}

/// Returns `true` if the first event of each part of a write is stored at its place.
fn begins(write: &EncodedWrite, rows: &[PgRow]) -> Result<bool, sqlx::Error> {
    for (append, row) in write.appends().zip(rows) {
        if event_id(row, "stored_event_id")? != Some(append.head.id) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the finding about a write that is not stored, from the rows of its logs.
fn finding(write: &EncodedWrite, rows: &[PgRow]) -> Result<Finding, sqlx::Error> {
    let mut refusals = Vec::new();
    let mut rows = rows.iter();
    for (append, row) in write.appends().zip(&mut rows) {
        if event_id(row, "key_last_event_id")?.is_some() {
            let used = append.key_used(replay(row)?, row.try_get("key_kind")?);
            return Ok(Finding::Settled(Err(used)));
        }
        let log_id = append.log_id;
        if let Some(error) = append.refused_by(found_log(row)?) {
            refusals.push(Refusal { log_id, error });
        } else if row.try_get("is_too_old")? {
            let error = StoreError::TransactionTooOld { log_id }.into();
            refusals.push(Refusal { log_id, error });
        }
    }
    for (required, row) in write.requirements.iter().zip(rows) {
        if let Some(error) = required.refused_by(found_log(row)?) {
            let log_id = required.log_id;
            refusals.push(Refusal { log_id, error });
        }
    }
    Ok(if refusals.is_empty() {
        Finding::Free
    } else {
        Finding::Refused(refusals)
    })
}

/// Returns the log of a row.
fn found_log(row: &PgRow) -> Result<FoundLog<'_>, sqlx::Error> {
    let number: Option<i32> = row.try_get("log_kind")?;
    let name: Option<&str> = row.try_get("log_type")?;
    Ok(FoundLog {
        kind: number.map(|number| FoundKind { number, name }),
        stored: event_id(row, "stored_event_id")?,
        predecessor: event_id(row, "previous_event_id")?,
    })
}

fn event_id(row: &PgRow, column: &str) -> Result<Option<EventId>, sqlx::Error> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(EventId::from))
}
