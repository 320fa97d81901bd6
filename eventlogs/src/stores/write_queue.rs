//! The way from the callers to the one task that writes.

use super::encoded::EncodedAppend;
use super::{AppendError, StoreError};
use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};

/// How many appends may wait in front of a writer; the next callers wait for a place.
const PLACES: usize = 1_024;
/// How many events a writer puts into one batch at the most.
pub(super) const BATCH_EVENTS: usize = 1_000;
/// How many bytes of payload a writer puts into one batch at the most. A larger append travels alone.
pub(super) const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What an append is told: the recorded time, or why it did not happen.
pub(super) type Outcome = Result<DateTime<Utc>, AppendError>;

/// The callers' end.
pub(super) struct WriteQueue {
    /// The writer has the other end. It finishes once every handle on the store is gone and the queue is empty.
    jobs: mpsc::Sender<Job>,
}

/// What a writer is asked.
pub(super) enum Job {
    /// To append.
    Append(Pending),
    /// To say when everything before is done, and to take nothing more.
    Close(oneshot::Sender<()>),
}

/// An append that waits for its answer.
pub(super) struct Pending {
    /// The events.
    pub(super) append: EncodedAppend,
    /// Where the answer goes.
    pub(super) answer: Answer,
}

/// The way back to a caller, who may have gone away.
pub(super) struct Answer(oneshot::Sender<Outcome>);

impl WriteQueue {
    /// A queue, and the end that the writer takes from.
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(PLACES);
        (Self { jobs }, receiver)
    }

    /// Has events appended, waits for the commit, and returns the recorded time.
    pub(super) async fn write(&self, append: EncodedAppend) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let answer = Answer(answer);
        let job = Job::Append(Pending { append, answer });
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        // From here on the writer has the events, and they may be stored even if nobody hears of it.
        answered
            .await
            .map_err(|_| StoreError::OutcomeUnknown { source: None })?
    }

    /// Waits until everything that was queued is written, and lets nothing more in.
    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).await.is_ok() {
            // An error means that the writer has ended already.
            let _ = answered.await;
        }
    }
}

impl Answer {
    /// Whether nobody waits for it. Events that were not handed over before need not be written then.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }

    /// Tells the caller, if it is still there.
    pub(super) fn tell(self, outcome: Outcome) {
        let _ = self.0.send(outcome);
    }
}

/// How much is in a batch.
#[derive(Default)]
pub(super) struct BatchSize {
    events: usize,
    bytes: usize,
}

impl BatchSize {
    /// Counts one more append.
    pub(super) fn add(&mut self, append: &EncodedAppend) {
        self.events += append.events.len();
        self.bytes += append.payload_bytes();
    }

    /// Whether nothing more belongs into the batch.
    pub(super) const fn is_full(&self) -> bool {
        self.events >= BATCH_EVENTS || self.bytes >= BATCH_BYTES
    }

    /// Whether this append still belongs into the batch, which is not empty.
    #[cfg(feature = "postgres")]
    pub(super) fn has_room_for(&self, append: &EncodedAppend) -> bool {
        self.events + append.events.len() <= BATCH_EVENTS
            && self.bytes + append.payload_bytes() <= BATCH_BYTES
    }
}
