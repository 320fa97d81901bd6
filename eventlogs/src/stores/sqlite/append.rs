//! Writes a batch in one transaction: looks up the places, decides which writes fit, stores those, and looks up why the others
//! were refused.
//!
//! The transaction holds the write lock from its first statement on, so what it reads stays true until it commits. A batch
//! without a refused write takes two round trips to SQLite's thread, or three with keys.

use crate::stores::database::columns::column;
use crate::stores::database::queue::pending::Outcome;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::decide::{Availability, Decisions, decide};
use crate::stores::sqlite::refusal::why_refused;
use crate::stores::sqlite::statements::appends;
use crate::stores::sqlite::statements::text::LARGEST;
use crate::stores::sqlite::values;
use crate::stores::sqlite::values::{Accepted, Stamp};
use crate::stores::sqlite::{connection, error, read, transaction};
use chrono::Utc;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// Stores the writes that fit, and commits. Each write has its own outcome: a refused write stores nothing, and does not affect
/// the others. After an error, the caller must roll back.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    writes: &[&EncodedWrite],
) -> Result<Vec<Outcome>, StoreError> {
    let now = Utc::now().timestamp_micros();
    let mut outcomes: Vec<Option<Outcome>> = writes.iter().map(|_| None).collect();
    let mut open: Vec<(usize, &EncodedWrite)> = writes.iter().copied().enumerate().collect();
    let (stamp, mut places) = begin(connection, writes).await?;
    loop {
        let Decisions { accepted, refused } = decide(&open, &places, now);
        for (number, accepted) in &accepted {
            set(&mut outcomes, *number, Ok(read::time(accepted.recorded_at)));
        }
        let accepted: Vec<_> = accepted.into_iter().map(|(_, accepted)| accepted).collect();
        insert(connection, stamp, &accepted, refused.is_empty()).await?;
        if refused.is_empty() {
            break;
        }
        // After the insert: a write that was just stored may be the reason.
        let reasons = why_refused(connection, refused.iter().map(|(_, write)| *write)).await?;
        open.clear();
        for ((number, write), reason) in refused.into_iter().zip(reasons) {
            match reason {
                Some(outcome) => set(&mut outcomes, number, outcome),
                // The write that it builds on came later in the batch, and is stored now.
                None if !accepted.is_empty() => open.push((number, write)),
                None => set(&mut outcomes, number, Err(write.first.conflict())),
            }
        }
        if open.is_empty() {
            transaction::commit(connection).await?;
            break;
        }
        places = look_again(connection, &open).await?;
    }
    let unknown = || Err(StoreError::OutcomeUnknown { source: None }.into());
    let outcomes = outcomes.into_iter();
    Ok(outcomes
        .map(|outcome| outcome.unwrap_or_else(unknown))
        .collect())
}

fn set(outcomes: &mut [Option<Outcome>], number: usize, outcome: Outcome) {
    if let Some(slot) = outcomes.get_mut(number) {
        *slot = Some(outcome);
    }
}

/// Begins the transaction, and looks up the places that the appends need.
async fn begin(
    connection: &mut SqliteConnection,
    writes: &[&EncodedWrite],
) -> Result<(Stamp, Vec<Availability>), StoreError> {
    let asked = values::asked(writes.iter().copied());
    let mut rows = Vec::with_capacity(asked.len() + 1);
    for text in appends::begin_and_places(&asked) {
        rows.append(&mut connection::rows(connection, text).await?);
    }
    let (stamp, rows) = rows
        .split_first()
        .ok_or_else(|| error::into_store_error(sqlx::Error::RowNotFound))?;
    Ok((
        read_stamp(stamp)?,
        places(rows, asked.len()).map_err(error::into_store_error)?,
    ))
}

/// Reads the stamp from a row of `stamp.sql`.
pub(super) fn read_stamp(row: &SqliteRow) -> Result<Stamp, StoreError> {
    Ok(Stamp {
        epoch: row.try_get("epoch").map_err(error::into_store_error)?,
        tx: row.try_get("tx").map_err(error::into_store_error)?,
    })
}

/// Looks up the places of some appends again.
pub(super) async fn look_again(
    connection: &mut SqliteConnection,
    writes: &[(usize, &EncodedWrite)],
) -> Result<Vec<Availability>, StoreError> {
    let asked = values::asked(writes.iter().map(|(_, write)| *write));
    let mut rows = Vec::with_capacity(asked.len());
    for text in appends::places(&asked) {
        rows.append(&mut connection::rows(connection, text).await?);
    }
    places(&rows, asked.len()).map_err(error::into_store_error)
}

/// The places, in the order of the appends that were looked up.
fn places(rows: &[SqliteRow], asked: usize) -> Result<Vec<Availability>, sqlx::Error> {
    let mut places = vec![Availability::default(); asked];
    let Some(first) = rows.first() else {
        return Ok(places);
    };
    let columns = PlaceColumns::find(first)?;
    for row in rows {
        let number: i64 = row.try_get(columns.append)?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(slot) = places.get_mut(number) {
            *slot = columns.place(row)?;
        }
    }
    Ok(places)
}

/// The numbers of the columns of `places.sql`.
struct PlaceColumns {
    append: usize,
    is_free: usize,
    key_is_new: usize,
    previous_recorded_at: usize,
    kind: usize,
}

impl PlaceColumns {
    fn find(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            append: column(row, "append")?,
            is_free: column(row, "is_free")?,
            key_is_new: column(row, "key_is_new")?,
            previous_recorded_at: column(row, "previous_recorded_at")?,
            kind: column(row, "kind")?,
        })
    }

    fn place(&self, row: &SqliteRow) -> Result<Availability, sqlx::Error> {
        Ok(Availability {
            is_free: row.try_get(self.is_free)?,
            key_is_new: row.try_get(self.key_is_new)?,
            previous: row.try_get(self.previous_recorded_at)?,
            kind: row.try_get(self.kind)?,
        })
    }
}

/// Inserts the events and keys of these writes. With `and_commit`, the last statement also commits.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    stamp: Stamp,
    accepted: &[Accepted<'_>],
    and_commit: bool,
) -> Result<(), StoreError> {
    let (events, keys) = (values::event_rows(accepted), values::key_rows(accepted));
    let mut events = events.chunks(LARGEST).peekable();
    let mut keys = keys.chunks(LARGEST).peekable();
    while let Some(rows) = events.next() {
        let is_last = events.peek().is_none() && keys.peek().is_none();
        let text = appends::insert_events(stamp, rows, and_commit && is_last);
        if and_commit && is_last {
            return transaction::run_and_commit(connection, text).await;
        }
        connection::rows(connection, text).await?;
    }
    while let Some(rows) = keys.next() {
        let is_last = keys.peek().is_none();
        let text = appends::insert_keys(rows, and_commit && is_last);
        if and_commit && is_last {
            return transaction::run_and_commit(connection, text).await;
        }
        connection::rows(connection, text).await?;
    }
    Ok(())
}
