//! Writing a batch: one guarded insert, and a query for the writes that it did not store.

use crate::stores::database::columns::column;
use crate::stores::database::queue::pending::{Outcome, Pending};
use crate::stores::error::store::StoreError;
use crate::stores::postgres::batch::{Batch, BatchProgress};
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::{AttemptError, Failure, Verdict};
use crate::stores::postgres::names::naming;
use crate::stores::postgres::pool::Leased;
use crate::stores::postgres::refusal::{findings, in_question};
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::{LOST_RACES, Operation, WriteInDoubt};
use crate::stores::postgres::values::Group;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashMap;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// Writes a batch, and returns the outcome of each of its writes.
pub(super) async fn write_batch(core: Arc<Core>, batch: Batch) -> Vec<(Box<Pending>, Outcome)> {
    tracing::trace!(writes = batch.len(), "writing a batch");
    let start = Instant::now();
    let progress = BatchProgress::new(&batch);
    // The driver panics at some values that a database can contain. The writer must survive that and keep its pins. The writes
    // without an outcome are in doubt then.
    let (whole, doubt) = (progress.whole(), WriteInDoubt::default());
    let written = write_until_settled(&core, &progress, &whole, doubt, batch.deadline());
    let _ = AssertUnwindSafe(written).catch_unwind().await;
    let outcomes = progress.into_outcomes();
    core.commits.give();
    let waited = batch.waited(start);
    core.metrics
        .batch_written(batch.event_count(), waited, start.elapsed());
    batch.with_outcomes(outcomes)
}

/// Sends a part of a batch until all of its writes have an outcome: all groups together; then each open group alone, if the
/// failure may be the fault of one; then each write of the group alone, if it may be the fault of one. So a write that cannot be
/// stored does not fail the others.
async fn write_until_settled(
    core: &Core,
    progress: &BatchProgress<'_>,
    part: &Range<usize>,
    doubt: WriteInDoubt,
    deadline: Instant,
) {
    let written = write_part(core, progress, part, &doubt, deadline).await;
    let (may_be_one_groups_fault, error) = match written {
        Ok(Written::Answered) => (false, None),
        Ok(Written::Clashed) => (true, None),
        Err(error) => (error.may_concern_one_write(), Some(error)),
    };
    // Each write of a group might wait for a lock as long as the group did. The writer sends those writes alone later.
    let may_be_one_writes_fault = !matches!(error, None | Some(StoreError::Busy { .. }));
    let smaller = match &*progress.open(part) {
        [group] if may_be_one_writes_fault => progress.split(group),
        groups => groups.to_vec(),
    };
    if may_be_one_groups_fault && smaller.len() > 1 {
        let error = error.as_ref().map(tracing::field::display);
        let parts = smaller.len();
        tracing::debug!(error, parts, "writing the parts of a batch one by one");
        for part in smaller {
            let doubt = doubt.for_a_part();
            Box::pin(write_until_settled(core, progress, &part, doubt, deadline)).await;
        }
    } else {
        progress.note_end(part, error.as_ref());
    }
}

/// The result of writing a part of a batch.
enum Written {
    /// The server has answered. Writes without an outcome stayed open each time, although nothing prevented them.
    Answered,
    /// Another process has stored an event or a key at the same place at the same moment. The statement has written nothing.
    /// Sent alone, each group meets only its own conflicts.
    Clashed,
}

/// Sends a part of a batch: all of its groups, or one. This takes one round trip, unless something is refused or a connection
/// breaks.
///
/// After an attempt whose answer was lost, the next attempt has the same event ids. If the first one was carried out, the
/// second one is refused because its own events are there, which settles the outcome. A write with an outcome is not sent
/// again, and a later error does not change its outcome.
async fn write_part(
    core: &Core,
    progress: &BatchProgress<'_>,
    part: &Range<usize>,
    doubt: &WriteInDoubt,
    deadline: Instant,
) -> Result<Written, StoreError> {
    let operation = core.writing(deadline);
    let attempt = || write_once(core, &operation, progress, part, doubt);
    let written = retry::write(&operation, doubt, attempt).await;
    written.map_err(|error| naming(error, progress.writes(part)))
}

async fn write_once(
    core: &Core,
    operation: &Operation<'_>,
    progress: &BatchProgress<'_>,
    part: &Range<usize>,
    doubt: &WriteInDoubt,
) -> Result<Written, AttemptError> {
    let mut connection = operation.lease().await?;
    let written = write_on(core, &mut connection, progress, part, doubt).await;
    connection.give_back_after(&written);
    written
}

async fn write_on(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &BatchProgress<'_>,
    part: &Range<usize>,
    doubt: &WriteInDoubt,
) -> Result<Written, AttemptError> {
    let mut was_strange = false;
    for _ in 0..LOST_RACES {
        let open = progress.open(part);
        let clash = match insert(core, connection, progress, &open, doubt).await {
            Ok(stored) => {
                progress.note_stored(part, &stored);
                None
            }
            Err(failure) if failure.verdict() != Verdict::Clash => return Err(failure.into()),
            Err(_) if open.len() > 1 => return Ok(Written::Clashed),
            Err(failure) => Some(failure),
        };
        let open = progress.open(part);
        if open.is_empty() {
            break;
        }
        let unknown = progress.unknown(part);
        ask(core, connection, progress, &open).await?;
        if progress.open(part).is_empty() {
            break;
        }
        // The row that the statement clashed with may be gone by now. A second time in a row, though, the constraint is not one
        // of this store: another program has added it to the tables.
        let is_strange = clash.is_some() && progress.unknown(part) == unknown;
        if let Some(clash) = clash
            && is_strange
            && was_strange
        {
            let source = clash.to_string().into();
            return Err(AttemptError::Final(StoreError::Database { source }));
        }
        was_strange = is_strange;
        // Nothing prevents the other writes any more: the rows that the statement met were rolled back before the query. The
        // writes are sent again.
    }
    Ok(Written::Answered)
}

/// Sends the insert of some groups. Returns the recorded time of each stored group, by the first log that it appends to: no two
/// groups of a batch append to the same log.
async fn insert(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &BatchProgress<'_>,
    open: &[Range<usize>],
    doubt: &WriteInDoubt,
) -> Result<HashMap<Uuid, DateTime<Utc>>, Failure> {
    let writes = progress.open_writes(open);
    let groups: Vec<Group<'_, '_>> = writes.iter().map(|group| &**group).collect();
    doubt.sending();
    let rows = connection.rows(core.statements.append(&groups)).await;
    let stored = rows.and_then(|rows| recorded_times(&rows));
    let stored = stored.map_err(Failure::Statement);
    if !matches!(&stored, Err(failure) if failure.leaves_open()) {
        doubt.answered();
    }
    stored
}

/// Returns the recorded times by log, from the rows of an insert.
fn recorded_times(rows: &[PgRow]) -> Result<HashMap<Uuid, DateTime<Utc>>, sqlx::Error> {
    let Some(first) = rows.first() else {
        return Ok(HashMap::new());
    };
    let (log_id, recorded_at) = (column(first, "log_id")?, column(first, "recorded_at")?);
    let rows = rows.iter();
    rows.map(|row| Ok((row.try_get(log_id)?, row.try_get(recorded_at)?)))
        .collect()
}

/// Asks why groups were not stored, and notes the findings.
async fn ask(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &BatchProgress<'_>,
    groups: &[Range<usize>],
) -> Result<(), Failure> {
    let writes = progress.open_writes(groups).concat();
    let refusals = connection.rows(core.statements.refusals(&writes)).await?;
    let in_question = in_question(&writes, &refusals)?;
    let stored = if in_question.is_empty() {
        Vec::new()
    } else {
        let statement = core.statements.stored_writes(&in_question);
        connection.rows(statement).await?
    };
    let mut findings = findings(&writes, &refusals, &stored)?.into_iter();
    for group in groups {
        progress.note_findings(group, &mut findings);
    }
    Ok(())
}
