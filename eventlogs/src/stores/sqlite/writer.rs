//! The one writer: gathers what arrives while it is busy into the next transaction.

use super::{append, error, transaction};
use crate::stores::StoreError;
use crate::stores::encoded::EncodedAppend;
use crate::stores::write_queue::{BatchSize, Job, Outcome, Pending, WriteQueue};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::mpsc;
use tracing::Instrument;

/// Starts the writer on the current runtime.
pub(super) fn start(pool: SqlitePool) -> WriteQueue {
    let (queue, jobs) = WriteQueue::new();
    tokio::spawn(run(jobs, pool).instrument(tracing::debug_span!("sqlite writer")));
    queue
}

async fn run(mut jobs: mpsc::Receiver<Job>, pool: SqlitePool) {
    let mut closing = None;
    while let Some(job) = jobs.recv().await {
        let mut next = Some(job);
        let mut size = BatchSize::default();
        let mut batch = Vec::new();
        while let Some(job) = next.take() {
            match job {
                Job::Append(pending) => {
                    size.add(&pending.append);
                    batch.push(pending);
                }
                Job::Close(answer) => {
                    // What is queued already is still written; what comes later is refused.
                    jobs.close();
                    closing = Some(answer);
                }
            }
            if !size.is_full() {
                next = jobs.try_recv().ok();
            }
        }
        write_batch(&pool, batch).await;
    }
    if let Some(answer) = closing {
        // The one who asked may have stopped waiting.
        let _ = answer.send(());
    }
}

/// Writes a batch in one transaction; if that fails as a whole, each append alone, so that one which cannot be stored
/// (too large for the disk that is left, say) does not take its neighbours along.
async fn write_batch(pool: &SqlitePool, mut batch: Vec<Pending>) {
    batch.retain(|pending| !pending.answer.is_abandoned());
    if batch.is_empty() {
        return;
    }
    let appends: Vec<_> = batch.iter().map(|pending| &pending.append).collect();
    tracing::trace!(appends = appends.len(), "writing a batch");
    match transact(pool, &appends).await {
        Ok(outcomes) => batch
            .into_iter()
            .zip(outcomes)
            .for_each(|(pending, outcome)| pending.answer.tell(outcome)),
        Err(error) => match <[Pending; 1]>::try_from(batch) {
            Ok([alone]) => alone.answer.tell(Err(error.into())),
            Err(batch) => {
                tracing::debug!(%error, appends = batch.len(), "writing the appends of a batch one by one");
                for pending in batch {
                    let outcome = write_alone(pool, &pending.append).await;
                    pending.answer.tell(outcome);
                }
            }
        },
    }
}

async fn write_alone(pool: &SqlitePool, append: &EncodedAppend) -> Outcome {
    let mut outcomes = transact(pool, &[append]).await?;
    outcomes
        .pop()
        .unwrap_or(Err(StoreError::OutcomeUnknown { source: None }.into()))
}

/// Runs appends in one transaction. Each has its own outcome: a refused one writes nothing and harms no other.
async fn transact(
    pool: &SqlitePool,
    appends: &[&EncodedAppend],
) -> Result<Vec<Outcome>, StoreError> {
    let mut connection = pool.acquire().await.map_err(error::of)?;
    transaction::begin(&mut connection).await?;
    let outcomes = append_each(&mut connection, appends).await;
    transaction::end(&mut connection, outcomes).await
}

async fn append_each(
    connection: &mut SqliteConnection,
    appends: &[&EncodedAppend],
) -> Result<Vec<Outcome>, StoreError> {
    let stamp = append::stamp(connection).await?;
    let mut outcomes = Vec::with_capacity(appends.len());
    for append in appends {
        outcomes.push(append::append(connection, append, stamp).await?);
    }
    Ok(outcomes)
}
