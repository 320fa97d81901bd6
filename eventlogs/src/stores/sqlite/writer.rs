//! The one writer: gathers what arrives while it is busy into the next transaction.

use super::{append, error, transaction};
use crate::stores::encoded::EncodedAppend;
use crate::stores::{AppendError, StoreError};
use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

/// How many appends may wait for the writer; the next callers wait for a place.
const QUEUE: usize = 256;
/// How many events one transaction holds at the most.
const BATCH_EVENTS: usize = 1_000;
/// How many bytes of payload one transaction holds at the most. A larger append travels alone.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The handle on the writing task.
pub(super) struct Writer {
    /// The task holds the other end. It ends once every handle is gone and the queue is empty.
    queue: mpsc::Sender<Job>,
}

/// What the task is asked.
enum Job {
    /// To append.
    Append(Pending),
    /// To say when everything before is done, and to take nothing more.
    Close(oneshot::Sender<()>),
}

/// An append that waits for its answer.
struct Pending {
    /// The events.
    append: EncodedAppend,
    /// Where the answer goes; the caller may have gone away.
    answer: oneshot::Sender<Result<DateTime<Utc>, AppendError>>,
}

impl Writer {
    /// Starts the task on the current runtime.
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(jobs, pool).instrument(tracing::debug_span!("sqlite writer")));
        Self { queue }
    }

    /// Appends, waits for the commit, and returns the recorded time.
    pub(super) async fn write(&self, append: EncodedAppend) -> Result<DateTime<Utc>, AppendError> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .send(Job::Append(Pending { append, answer }))
            .await
            .map_err(|_| StoreError::Closed)?;
        // From here on the task has the events, and they may be stored even if nobody hears of it.
        answered
            .await
            .map_err(|_| StoreError::OutcomeUnknown { source: None })?
    }

    /// Waits until everything that was queued is written, and lets nothing more in.
    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Job::Close(answer)).await.is_ok() {
            // An error means that the task has ended already.
            let _ = answered.await;
        }
    }
}

async fn run(mut jobs: mpsc::Receiver<Job>, pool: SqlitePool) {
    let mut closing = None;
    let mut batch = Vec::new();
    while let Some(job) = jobs.recv().await {
        let mut next = Some(job);
        let (mut events, mut bytes) = (0, 0);
        while let Some(job) = next.take() {
            match job {
                Job::Append(pending) => {
                    events += pending.append.events.len();
                    bytes += pending.append.payload_bytes();
                    batch.push(pending);
                }
                Job::Close(answer) => {
                    // What is queued already is still written; what comes later is refused.
                    jobs.close();
                    closing = Some(answer);
                }
            }
            if events < BATCH_EVENTS && bytes < BATCH_BYTES {
                next = jobs.try_recv().ok();
            }
        }
        write_batch(&pool, std::mem::take(&mut batch)).await;
    }
    if let Some(answer) = closing {
        // The one who asked may have stopped waiting.
        let _ = answer.send(());
    }
}

/// Writes a batch in one transaction; if that fails as a whole, each append alone, so that one which cannot be stored
/// (too large for the disk that is left, say) does not take its neighbours along.
async fn write_batch(pool: &SqlitePool, mut batch: Vec<Pending>) {
    // Nobody waits for these, and they have not been handed to the database yet.
    batch.retain(|pending| !pending.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let appends: Vec<_> = batch.iter().map(|pending| &pending.append).collect();
    tracing::trace!(appends = appends.len(), "writing a batch");
    match transact(pool, &appends).await {
        Ok(outcomes) => {
            for (pending, outcome) in batch.into_iter().zip(outcomes) {
                // An error here is a caller who went away.
                let _ = pending.answer.send(outcome);
            }
        }
        Err(error) => {
            if batch.len() == 1
                && let Some(pending) = batch.pop()
            {
                let _ = pending.answer.send(Err(error.into()));
                return;
            }
            tracing::debug!(%error, appends = batch.len(), "the batch failed; writing its appends one by one");
            for pending in batch {
                let outcome = match transact(pool, &[&pending.append]).await {
                    Ok(mut outcomes) => outcomes
                        .pop()
                        .unwrap_or(Err(StoreError::OutcomeUnknown { source: None }.into())),
                    Err(error) => Err(error.into()),
                };
                let _ = pending.answer.send(outcome);
            }
        }
    }
}

/// Runs appends in one transaction. Each has its own outcome: a refused one writes nothing and harms no other.
async fn transact(
    pool: &SqlitePool,
    appends: &[&EncodedAppend],
) -> Result<Vec<Result<DateTime<Utc>, AppendError>>, StoreError> {
    let mut connection = pool.acquire().await.map_err(error::of)?;
    transaction::begin(&mut connection).await?;
    let outcomes = append_each(&mut connection, appends).await;
    transaction::end(&mut connection, outcomes).await
}

async fn append_each(
    connection: &mut SqliteConnection,
    appends: &[&EncodedAppend],
) -> Result<Vec<Result<DateTime<Utc>, AppendError>>, StoreError> {
    let stamp = append::stamp(connection).await?;
    let mut outcomes = Vec::with_capacity(appends.len());
    for append in appends {
        outcomes.push(append::append(connection, append, stamp).await?);
    }
    Ok(outcomes)
}
