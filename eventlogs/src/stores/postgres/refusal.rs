//! Why writes were refused.

use crate::ids::EventId;
use crate::stores::database::queue::pending::Outcome;
use crate::stores::database::refusal::{FoundKind, FoundLog};
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite};
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
    /// Another write prevents it, or is missing before it.
    Refused(AppendError),
    /// Nothing prevents it now: it must be sent again.
    Free,
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
            // A write is stored as a whole or not at all, so the first log with a finding decides for all.
            let mut rows = rows.iter();
            for (append, row) in write.appends().zip(&mut rows) {
                let found = finding(append, row)?;
                if !matches!(found, Finding::Free) {
                    return Ok(found);
                }
            }
            for (required, row) in write.requirements.iter().zip(rows) {
                if let Some(refusal) = required.refused_by(found_log(row)?) {
                    return Ok(Finding::Refused(refusal));
                }
            }
            Ok(Finding::Free)
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

/// Returns the finding of a row about its part of a write.
fn finding(append: &EncodedAppend, row: &PgRow) -> Result<Finding, sqlx::Error> {
    if event_id(row, "key_last_event_id")?.is_some() {
        let used = append.key_used(replay(row)?, row.try_get("key_kind")?);
        return Ok(Finding::Settled(Err(used)));
    }
    if let Some(refusal) = append.refused_by(found_log(row)?) {
        return Ok(Finding::Refused(refusal));
    }
    if row.try_get("is_too_old")? {
        let log_id = append.log_id;
        return Ok(Finding::Refused(
            StoreError::TransactionTooOld { log_id }.into(),
        ));
    }
    Ok(Finding::Free)
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
