//! Why writes were refused.

use super::keys::replay;
use super::read::{event_id, time};
use super::{error, transaction, values};
use crate::ids::EventId;
use crate::stores::encoded::{EncodedAppend, EncodedWrite};
use crate::stores::write_queue::Outcome;
use crate::stores::{AppendError, StoreError};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// Looks at the logs and keys of writes that were refused, in the order own event, key, index: an own event comes first,
/// because this may be the second attempt of a write whose first one went through. Nothing where nothing is in the way.
pub(super) async fn why_refused<'a>(
    connection: &mut SqliteConnection,
    writes: impl Iterator<Item = &'a EncodedWrite> + Clone,
) -> Result<Vec<Option<Outcome>>, StoreError> {
    let asked = values::asked(writes.clone());
    let mut rows = Vec::with_capacity(asked.len());
    for text in values::why(&asked) {
        rows.append(&mut transaction::rows(connection, text).await?);
    }
    let mut rows = rows.iter();
    let outcomes = writes.map(|write| {
        // A write to several logs is stored whole or not at all, so the first of them that tells something tells all.
        let mut outcome = None;
        for append in write.appends() {
            let row = rows
                .next()
                .ok_or_else(|| error::of(sqlx::Error::RowNotFound))?;
            if outcome.is_none() {
                outcome = of_row(append, row)?;
            }
        }
        Ok(outcome)
    });
    outcomes.collect()
}

/// What the tables say of one append; nothing if they have nothing against it.
fn of_row(append: &EncodedAppend, row: &SqliteRow) -> Result<Option<Outcome>, StoreError> {
    let stored = optional_event_id(row, 0)?;
    if stored == Some(append.head.id) {
        let recorded_at = row.try_get(1).map_err(error::of)?;
        return Ok(Some(Ok(time(recorded_at))));
    }
    let key: Option<&[u8]> = row.try_get(4).map_err(error::of)?;
    if key.is_some() {
        return Ok(Some(Err(AppendError::Replay(replay(row, 4)?))));
    }
    let exists = row.try_get(3).map_err(error::of)?;
    let refusal = append.refused_by(stored, optional_event_id(row, 2)?, exists);
    Ok(refusal.map(Err))
}

fn optional_event_id(row: &SqliteRow, column: usize) -> Result<Option<EventId>, StoreError> {
    let bytes: Option<&[u8]> = row.try_get(column).map_err(error::of)?;
    bytes.map(|_| event_id(row, column)).transpose()
}
