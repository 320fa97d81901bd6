//! Why writes were refused.

use super::read::replay;
use crate::ids::EventId;
use crate::stores::encoded::{EncodedAppend, EncodedWrite};
use crate::stores::write_queue::Outcome;
use crate::stores::{AppendError, StoreError};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
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

/// What the answer to the question about all of these writes says, in the order own event, key, index: an own event comes
/// first, because this may be the second attempt of a write whose first one went through.
pub(super) fn findings(
    writes: &[&EncodedWrite],
    rows: &[PgRow],
) -> Result<Vec<Finding>, sqlx::Error> {
    let mut rows = rows.iter();
    writes
        .iter()
        .map(|write| {
            // Parts of one write: it is stored whole or not at all, so the first that tells something tells all.
            let mut finding = Finding::Free;
            for append in write.appends() {
                let row = rows.next().ok_or(sqlx::Error::RowNotFound)?;
                if matches!(finding, Finding::Free) {
                    finding = of_row(append, row)?;
                }
            }
            Ok(finding)
        })
        .collect()
}

fn of_row(append: &EncodedAppend, row: &PgRow) -> Result<Finding, sqlx::Error> {
    let stored = event_id(row, 1)?;
    if stored == Some(append.head.id) {
        let recorded_at: DateTime<Utc> = row.try_get(2)?;
        return Ok(Finding::Settled(Ok(recorded_at)));
    }
    if event_id(row, 6)?.is_some() {
        return Ok(Finding::Settled(Err(AppendError::Replay(replay(row, 3)?))));
    }
    if let Some(refusal) = append.refused_by(stored, event_id(row, 9)?, row.try_get(10)?) {
        return Ok(Finding::Refused(refusal));
    }
    if row.try_get(11)? {
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
