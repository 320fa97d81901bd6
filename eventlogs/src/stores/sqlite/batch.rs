//! A batch in one transaction: look at the places, decide, write what can be written, and see why the rest cannot.
//!
//! The transaction holds the write lock from its first statement on, so what it sees is true until it commits. A batch of
//! which nothing is refused takes two trips to SQLite's thread, three with keys.

use super::decide::{Decisions, Place};
use super::refusal::why_refused;
use super::statements::{LARGEST, STATEMENTS};
use super::values::{self, Accepted, Asked, Stamp};
use super::{error, read, transaction};
use crate::stores::StoreError;
use crate::stores::encoded::EncodedWrite;
use crate::stores::write_queue::Outcome;
use chrono::Utc;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// Writes what can be written, and commits. Each write has its own outcome: a refused one writes nothing and harms no
/// other. After an error, the transaction is to be rolled back.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    writes: &[&EncodedWrite],
) -> Result<Vec<Outcome>, StoreError> {
    let asked = values::asked(writes.iter().copied());
    let (stamp, places) = begin(connection, &asked).await?;
    let decisions = Decisions::of(writes, &places, Utc::now().timestamp_micros());
    let (accepted, refused) = decisions.split();
    // Those that were refused are looked at before the commit and behind what the others have written, which may be what
    // they ran into.
    insert(connection, stamp, &accepted, refused.is_empty()).await?;
    let mut reasons = Vec::new().into_iter();
    if !refused.is_empty() {
        reasons = why_refused(connection, &refused).await?.into_iter();
        transaction::commit(connection).await?;
    }
    let outcomes = decisions.recorded_at.into_iter().map(|recorded_at| {
        let stored = recorded_at.map(|recorded_at| Ok(read::time(recorded_at)));
        stored
            .or_else(|| reasons.next())
            .unwrap_or(Err(StoreError::OutcomeUnknown { source: None }.into()))
    });
    Ok(outcomes.collect())
}

/// Begins the transaction, and looks at the places that the appends want.
async fn begin(
    connection: &mut SqliteConnection,
    asked: &[Asked<'_>],
) -> Result<(Stamp, Vec<Place>), StoreError> {
    let mut rows = Vec::with_capacity(asked.len() + 1);
    for text in values::check(&STATEMENTS.begin_and_check, asked) {
        rows.append(&mut transaction::rows(connection, text).await?);
    }
    let (stamp, rows) = rows
        .split_first()
        .ok_or_else(|| error::of(sqlx::Error::RowNotFound))?;
    let stamp = Stamp {
        epoch: stamp.try_get(0).map_err(error::of)?,
        tx: stamp.try_get(1).map_err(error::of)?,
    };
    let mut places = vec![Place::default(); asked.len()];
    for row in rows {
        let (number, place) = place(row).map_err(error::of)?;
        if let Some(slot) = usize::try_from(number)
            .ok()
            .and_then(|number| places.get_mut(number))
        {
            *slot = place;
        }
    }
    Ok((stamp, places))
}

fn place(row: &SqliteRow) -> Result<(i64, Place), sqlx::Error> {
    let place = Place {
        is_free: row.try_get(1)?,
        key_is_new: row.try_get(2)?,
        previous: row.try_get(3)?,
    };
    Ok((row.try_get(0)?, place))
}

/// Inserts the events and keys of these writes, and commits along with the last of them if that is asked for.
async fn insert(
    connection: &mut SqliteConnection,
    stamp: Stamp,
    accepted: &[Accepted<'_>],
    and_commit: bool,
) -> Result<(), StoreError> {
    let (events, keys) = (values::event_rows(accepted), values::key_rows(accepted));
    let mut events = events.chunks(LARGEST).peekable();
    let mut keys = keys.chunks(LARGEST).peekable();
    while let Some(rows) = events.next() {
        if and_commit && events.peek().is_none() && keys.peek().is_none() {
            let text = values::insert_events(&STATEMENTS.insert_events_and_commit, stamp, rows);
            return transaction::run_and_commit(connection, text).await;
        }
        let text = values::insert_events(&STATEMENTS.insert_events, stamp, rows);
        transaction::rows(connection, text).await?;
    }
    while let Some(rows) = keys.next() {
        if and_commit && keys.peek().is_none() {
            let text = values::insert_keys(&STATEMENTS.insert_keys_and_commit, rows);
            return transaction::run_and_commit(connection, text).await;
        }
        let text = values::insert_keys(&STATEMENTS.insert_keys, rows);
        transaction::rows(connection, text).await?;
    }
    Ok(())
}
