//! Why writes were refused.

use super::read::replay;
use super::statements::Statements;
use super::values;
use crate::ids::EventId;
use crate::stores::encoded::{EncodedAppend, EncodedWrite, FoundKind, FoundLog};
use crate::stores::error::{AppendError, StoreError};
use crate::stores::write_queue::Outcome;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Row, SqlStr};
use std::collections::HashSet;
use uuid::Uuid;

/// What a look at the log says of a write that did not come back.
pub(super) enum Finding {
    /// It is stored, by an earlier attempt; or it cannot be.
    Settled(Outcome),
    /// It is another write that stands in the way of this one, or that is missing in front of it.
    Refused(AppendError),
    /// Nothing stands in its way now: it is to be sent again.
    Free,
}

/// Asks about all of these writes at once, in the order own events, key, index: own events come first, because this may be
/// the second attempt of a write whose first one went through. One round trip; a second one if a write of several events
/// begins with an event that is stored.
pub(super) async fn why_refused(
    statements: &Statements,
    why: &SqlStr,
    connection: &mut PgConnection,
    writes: &[&EncodedWrite],
) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = values::why(why, writes).fetch_all(&mut *connection).await?;
    let mut rest = rows.as_slice();
    let mut found = Vec::with_capacity(writes.len());
    for write in writes {
        let appends = 1 + write.others.len();
        let (own, others) = rest
            .split_at_checked(appends)
            .ok_or(sqlx::Error::RowNotFound)?;
        rest = others;
        found.push(own);
    }
    let stored = stored(statements, connection, writes, &found).await?;
    let findings = writes.iter().zip(found).zip(0..);
    findings
        .map(|((write, rows), number)| {
            if stored.contains(&number) {
                let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
                let recorded_at: DateTime<Utc> = first.try_get(2)?;
                return Ok(Finding::Settled(Ok(recorded_at)));
            }
            // A write happens as a whole or not at all, so the first part that tells something tells all.
            for (append, row) in write.appends().zip(rows) {
                let finding = of_row(append, row)?;
                if !matches!(finding, Finding::Free) {
                    return Ok(finding);
                }
            }
            Ok(Finding::Free)
        })
        .collect()
}

/// The numbers of the writes that are stored: all their events are, each at its place. Nobody promises that an event id is
/// used only once, so the first event of each part is not enough.
async fn stored(
    statements: &Statements,
    connection: &mut PgConnection,
    writes: &[&EncodedWrite],
    found: &[&[PgRow]],
) -> Result<HashSet<i64>, sqlx::Error> {
    let mut stored = HashSet::new();
    let mut in_question = Vec::new();
    for ((write, rows), number) in writes.iter().zip(found).zip(0..) {
        let mut begins = true;
        for (append, row) in write.appends().zip(*rows) {
            begins &= event_id(row, 1)? == Some(append.head.id);
        }
        if begins && write.appends().all(|append| append.tail.is_empty()) {
            stored.insert(number);
        } else if begins {
            in_question.push((number, *write));
        }
    }
    if !in_question.is_empty() {
        let rows = values::own(&statements.own, &in_question)
            .fetch_all(connection)
            .await?;
        for row in rows {
            stored.insert(row.try_get(0)?);
        }
    }
    Ok(stored)
}

fn of_row(append: &EncodedAppend, row: &PgRow) -> Result<Finding, sqlx::Error> {
    if event_id(row, 6)?.is_some() {
        let used = append.key_used(replay(row, 3)?, row.try_get(12)?);
        return Ok(Finding::Settled(Err(used)));
    }
    let number: Option<i32> = row.try_get(10)?;
    let name: Option<&str> = row.try_get(11)?;
    let log = FoundLog {
        kind: number.map(|number| FoundKind { number, name }),
        stored: event_id(row, 1)?,
        predecessor: event_id(row, 9)?,
    };
    if let Some(refusal) = append.refused_by(log) {
        return Ok(Finding::Refused(refusal));
    }
    if row.try_get(13)? {
        let log_id = append.log_id;
        return Ok(Finding::Refused(
            StoreError::TransactionTooOld { log_id }.into(),
        ));
    }
    Ok(Finding::Free)
}

fn event_id(row: &PgRow, column: usize) -> Result<Option<EventId>, sqlx::Error> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(EventId::from))
}
