//! Appends inside a transaction of the caller.

use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::database::queue::pending::Outcome;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::encoding::write::{EncodedWrite, encode};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::request::AppendRequest;
use crate::stores::sqlite::append::{insert, look_again, read_stamp};
use crate::stores::sqlite::decide::decide;
use crate::stores::sqlite::refusal::why_refused;
use crate::stores::sqlite::statements::appends;
use crate::stores::sqlite::user_transaction::{Open, SqliteTransaction};
use crate::stores::sqlite::values::Stamp;
use crate::stores::sqlite::{SqliteEventStore, connection, error, read};
use chrono::Utc;
use std::iter;
use std::time::Instant;

impl SqliteEventStore {
    /// Writes the events of a request inside a transaction of the caller.
    pub(crate) async fn write_in<E: Event>(
        &self,
        transaction: &mut SqliteTransaction,
        request: &AppendRequest<'_, E>,
    ) -> Result<LogPosition, AppendError> {
        let passed = |deadline| deadline <= Instant::now();
        if request.context.deadline.is_some_and(passed) {
            return Err(StoreError::DeadlineExceeded.into());
        }
        let core = self.core();
        core.log_types.check(EventEnum::new::<E>())?;
        let (write, _) = encode(request, &core.options.limits)?;
        let mut open = transaction.open_for(core)?;
        let written = write_to(&mut open, &write).await;
        drop(open);
        let outcome = transaction.unless_failed(written).await?;
        outcome.map(|_| request.state_after())
    }
}

/// Stores a write, if it fits. After an error the transaction must be rolled back.
async fn write_to(open: &mut Open, write: &EncodedWrite) -> Result<Outcome, StoreError> {
    let now = Utc::now().timestamp_micros();
    let stamp = stamp(open).await?;
    let wanted = [(0, write)];
    let places = look_again(&mut open.guard, &wanted).await?;
    let decisions = decide(&wanted, &places, now);
    if let Some((_, accepted)) = decisions.accepted.into_iter().next() {
        let recorded_at = read::time(accepted.recorded_at);
        insert(&mut open.guard, stamp, &[accepted], false).await?;
        return Ok(Ok(recorded_at));
    }
    let reasons = why_refused(&mut open.guard, iter::once(write)).await?;
    let reason = reasons.into_iter().next().flatten();
    Ok(reason.unwrap_or_else(|| Err(write.first.conflict())))
}

/// Returns the stamp, which all events of a transaction share.
async fn stamp(open: &mut Open) -> Result<Stamp, StoreError> {
    if let Some(stamp) = open.stamp {
        return Ok(stamp);
    }
    let rows = connection::rows(&mut open.guard, appends::stamp()).await?;
    let row = rows.first();
    let row = row.ok_or_else(|| error::into_store_error(sqlx::Error::RowNotFound))?;
    Ok(*open.stamp.insert(read_stamp(row)?))
}
