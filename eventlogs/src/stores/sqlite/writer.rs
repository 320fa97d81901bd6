//! The writer task: it collects the writes that arrive while it is busy into its next transaction.

use crate::stores::database::queue::Job;
use crate::stores::database::queue::batch_size::BatchSize;
use crate::stores::database::queue::pending::{Outcome, Pending};
use crate::stores::database::telemetry::StoreMetrics;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::core::Core;
use crate::stores::sqlite::pool::writer_connection::WriterGuard;
use crate::stores::sqlite::pool::{ATTEMPTS, ConnectionPool};
use crate::stores::sqlite::{append, error, transaction};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument;

/// Starts the writer on the current runtime.
pub(super) fn start(jobs: mpsc::UnboundedReceiver<Job>, core: Arc<Core>) {
    tokio::spawn(run(jobs, core).instrument(tracing::debug_span!("sqlite writer")));
}

async fn run(mut jobs: mpsc::UnboundedReceiver<Job>, core: Arc<Core>) {
    let mut closing = Vec::new();
    while let Some(job) = jobs.recv().await {
        // The callers that just got their outcomes are about to run, and to queue their next writes: those join this batch.
        tokio::task::yield_now().await;
        // The turn comes before the writes: while somebody else has it, callers can still withdraw theirs.
        let turn = core.pool.writer().await;
        let mut next = Some(job);
        let mut size = BatchSize::default();
        let mut batch = Vec::new();
        let now = Instant::now();
        while let Some(job) = next.take() {
            match job {
                Job::Write(pending) => {
                    if let Some(pending) = pending.take(now) {
                        size.add(&pending.write);
                        batch.push(pending);
                    }
                }
                Job::Close(answer) => {
                    // Writes that are already queued are still written; later ones are refused.
                    jobs.close();
                    closing.push(answer);
                }
            }
            if !size.is_full() {
                next = jobs.try_recv().ok();
            }
        }
        write_batch(&core.pool, &core.metrics, turn, batch).await;
        core.commits.give();
    }
    for answer in closing {
        // The caller may have stopped waiting.
        let _ = answer.send(());
    }
}

/// Writes a batch in one transaction. If that fails, it writes each write alone, so that a write that cannot be stored (for
/// example, one that is too large for the free disk space) does not make the others fail.
#[expect(clippy::vec_box, reason = "each box goes back to its caller")]
async fn write_batch(
    pool: &ConnectionPool,
    metrics: &StoreMetrics,
    turn: Result<WriterGuard, StoreError>,
    batch: Vec<Box<Pending>>,
) {
    if batch.is_empty() {
        if let Ok(guard) = turn {
            guard.give_back();
        }
        return;
    }
    let writes: Vec<_> = batch.iter().map(|pending| &pending.write).collect();
    tracing::trace!(writes = writes.len(), "writing a batch");
    let start = Instant::now();
    let written = transact(pool, turn, &writes).await;
    metrics.batch_written(
        writes.iter().map(|write| write.event_count()).sum(),
        batch.iter().map(|pending| start - pending.since),
        start.elapsed(),
    );
    match written {
        Ok(outcomes) => batch
            .into_iter()
            .zip(outcomes)
            .for_each(|(pending, outcome)| pending.settle(outcome)),
        Err(error) if batch.len() > 1 && may_concern_one_write(&error) => {
            tracing::debug!(%error, writes = batch.len(), "writing the writes of a batch one by one");
            for pending in batch {
                let outcome = write_alone(pool, &pending.write).await;
                pending.settle(outcome);
            }
        }
        Err(error) => {
            for pending in batch {
                pending.settle(Err(error.clone().into()));
            }
        }
    }
}

async fn write_alone(pool: &ConnectionPool, write: &EncodedWrite) -> Outcome {
    let turn = pool.writer().await;
    let mut outcomes = transact(pool, turn, &[write]).await?;
    outcomes
        .pop()
        .unwrap_or(Err(StoreError::OutcomeUnknown { source: None }.into()))
}

/// Runs writes in one transaction, each with its own outcome. If they were committed into a write-ahead log that another
/// program has removed, they are written again, into the new log: writes that are already stored are found by their event ids.
async fn transact(
    pool: &ConnectionPool,
    mut turn: Result<WriterGuard, StoreError>,
    writes: &[&EncodedWrite],
) -> Result<Vec<Outcome>, StoreError> {
    let mut elsewhere = None;
    for _ in 0..ATTEMPTS {
        match transact_once(turn, writes).await {
            Err(error) if error::is_committed_elsewhere(&error) => {
                elsewhere = Some(error);
                turn = pool.writer().await;
            }
            Err(error) if elsewhere.is_some() => {
                return Err(StoreError::OutcomeUnknown {
                    source: Some(error.into()),
                });
            }
            written => return written,
        }
    }
    Err(elsewhere.unwrap_or(StoreError::OutcomeUnknown { source: None }))
}

async fn transact_once(
    turn: Result<WriterGuard, StoreError>,
    writes: &[&EncodedWrite],
) -> Result<Vec<Outcome>, StoreError> {
    let mut guard = turn?;
    let outcomes = append::write(&mut guard, writes).await;
    transaction::close(guard, outcomes).await
}

/// Returns `true` if a single write of a batch may have caused the error. Two errors mean something else here than on a server.
/// A locked file stops every write. After a failed commit, each write finds out for itself whether it is stored, by its event
/// ids.
fn may_concern_one_write(error: &StoreError) -> bool {
    match error {
        StoreError::Busy { .. } => false,
        StoreError::OutcomeUnknown { .. } => !error::is_committed_elsewhere(error),
        _ => error.may_concern_one_write(),
    }
}
