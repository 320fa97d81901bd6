//! A write that is queued or in flight: the writer's end and the caller's end.

use crate::stores::database::telemetry::Counted;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::request::AppendSettled;
use crate::time_box;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};

/// How long a caller waits after its own deadline for a write in flight, whose outcome will soon be known.
const GRACE: Duration = Duration::from_millis(25);
/// How long a caller waits after the store's timeout. It is longer, because no caller depends on the exact length of a timeout.
const LONG_GRACE: Duration = Duration::from_millis(250);

/// The outcome of a write: the recorded time, or the error.
pub(in crate::stores) type Outcome = Result<DateTime<Utc>, AppendError>;

/// A write that is not settled yet.
///
/// It stays in the box in which it was queued, and returns to its caller with the outcome, so that the task that allocated it
/// also frees it. If the writer freed all writes of a batch, threads would wait for one another in the allocator.
pub(in crate::stores) struct Pending {
    /// The events.
    pub(in crate::stores) write: EncodedWrite,
    /// The time at which it was queued.
    pub(in crate::stores) since: Instant,
    /// The earlier of the caller's deadline and the end of the store's timeout.
    pub(in crate::stores) deadline: Instant,
    /// Which of the two `deadline` is.
    limit: Limit,
    /// Sends the outcome to the caller's future; taken when the write is settled.
    answer: Option<oneshot::Sender<Answer>>,
    /// Shared with the caller's future.
    claim: Arc<Claim>,
    /// The observer of the write; taken when the write is settled.
    pub(in crate::stores) observer: Option<Arc<dyn AppendSettled>>,
    /// The further observers of a write to several logs.
    other_observers: Vec<Arc<dyn AppendSettled>>,
    /// The write's share of the queue. It is released before the outcome is sent, because the caller may no longer wait for it.
    pub(in crate::stores) room: Option<Room>,
}

/// The share of the queue that a write takes.
pub(in crate::stores) struct Room {
    pub(super) _permit: OwnedSemaphorePermit,
    /// The write and its size, in the metrics.
    pub(super) _counted: [Counted; 2],
}

/// The answer to a caller: the outcome of its write, and the write, which the caller frees.
type Answer = (Outcome, Box<Pending>);

/// The caller's end of a write that is not settled yet.
pub(in crate::stores) struct Waiting {
    /// Receives the outcome from the writer.
    answered: oneshot::Receiver<Answer>,
    /// Withdraws the write.
    withdrawing: Withdrawing,
    /// The time limit of the write.
    time: TimeLimit,
}

/// The end of the time of a write, and which limit sets it.
#[derive(Clone, Copy)]
pub(in crate::stores) struct TimeLimit {
    /// The end of the time.
    pub(in crate::stores) at: Instant,
    /// The limit that ends first.
    limit: Limit,
}

/// The limit of a write that ends first.
#[derive(Clone, Copy)]
enum Limit {
    /// The caller's deadline.
    Callers,
    /// The store's own timeout.
    Stores,
}

impl Limit {
    /// Returns the error for a time limit that ends before the writer has taken the write.
    const fn passed(self) -> StoreError {
        match self {
            Self::Callers => StoreError::DeadlineExceeded,
            Self::Stores => StoreError::Overloaded,
        }
    }

    const fn grace(self) -> Duration {
        match self {
            Self::Callers => GRACE,
            Self::Stores => LONG_GRACE,
        }
    }
}

/// The owner of a write: the caller, who can still withdraw it, or the writer. Only one of them can claim it, so a caller that
/// gives up knows whether the write may have been written.
struct Claim(AtomicU8);

impl Claim {
    const WAITING: u8 = 0;
    const TAKEN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    fn set(&self, on: u8) -> bool {
        self.turn(Self::WAITING, on)
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        // Relaxed ordering is enough: the flag guards no other memory, because the channel transfers the write.
        let turned = self
            .0
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        turned.is_ok()
    }
}

/// Withdraws a write if the caller's future is dropped before the writer has taken the write.
struct Withdrawing(Arc<Claim>);

impl Withdrawing {
    /// Withdraws the write. Returns `false` if the writer has already taken it.
    fn withdrawn(&self) -> bool {
        self.0.set(Claim::WITHDRAWN)
    }
}

impl Drop for Withdrawing {
    fn drop(&mut self) {
        self.0.set(Claim::WITHDRAWN);
    }
}

impl TimeLimit {
    /// Makes the time limit of a write that begins now. Returns an error if the caller's deadline has already passed, before
    /// anything is encoded.
    pub(in crate::stores) fn new(
        asked: Option<std::time::Instant>,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        let own = time_box::end_after(timeout);
        let (at, limit) = match asked.map(Instant::from) {
            Some(asked) if asked <= own => (asked, Limit::Callers),
            _ => (own, Limit::Stores),
        };
        if matches!(limit, Limit::Callers) && at <= Instant::now() {
            return Err(limit.passed());
        }
        Ok(Self { at, limit })
    }

    /// Returns the error for a time limit that ends before the writer has taken the write.
    pub(in crate::stores) const fn passed(self) -> StoreError {
        self.limit.passed()
    }
}

/// Prepares a write for the queue, and returns it with the caller's end.
pub(in crate::stores) fn pending(write: EncodedWrite, time: TimeLimit) -> (Box<Pending>, Waiting) {
    let (sender, answered) = oneshot::channel();
    let claim = Arc::new(Claim(AtomicU8::new(Claim::WAITING)));
    let waiting = Waiting {
        answered,
        withdrawing: Withdrawing(Arc::clone(&claim)),
        time,
    };
    let pending = Pending {
        write,
        since: Instant::now(),
        deadline: time.at,
        limit: time.limit,
        answer: Some(sender),
        claim,
        observer: None,
        other_observers: Vec::new(),
        room: None,
    };
    (Box::new(pending), waiting)
}

impl Waiting {
    /// Waits for the outcome.
    pub(in crate::stores) async fn outcome(self) -> Outcome {
        let Self {
            mut answered,
            withdrawing,
            time: TimeLimit { at, limit },
        } = self;
        match timeout_at(at, &mut answered).await {
            Ok(Ok((outcome, _written))) => outcome,
            // The writer has ended. A write that it has not taken is not written.
            Ok(Err(_)) if withdrawing.withdrawn() => Err(StoreError::Closed.into()),
            Ok(Err(_)) => Err(StoreError::OutcomeUnknown { source: None }.into()),
            Err(_) if withdrawing.withdrawn() => Err(limit.passed().into()),
            Err(_) => Box::pin(late(answered, withdrawing, at + limit.grace(), limit)).await,
        }
    }
}

/// Waits a little longer for the outcome of a write in flight. The caller boxes this future, because it is rarely needed.
async fn late(
    answered: oneshot::Receiver<Answer>,
    withdrawing: Withdrawing,
    end: Instant,
    limit: Limit,
) -> Outcome {
    match timeout_at(end, answered).await {
        Ok(Ok((outcome, _written))) => outcome,
        // The writer has put the write back without writing it.
        _ if withdrawing.withdrawn() => Err(limit.passed().into()),
        _ => Err(StoreError::OutcomeUnknown { source: None }.into()),
    }
}

impl Pending {
    /// Takes the write over from its caller. Returns `None` if the caller has withdrawn it, or if its time limit has passed.
    pub(in crate::stores) fn take(self: Box<Self>, now: Instant) -> Option<Box<Self>> {
        if now >= self.deadline {
            let passed = self.limit.passed();
            self.settle(Err(passed.into()));
            return None;
        }
        self.claim.set(Claim::TAKEN).then_some(self)
    }

    /// Lets the caller withdraw the write again, because it was not written and will be retried.
    #[cfg(feature = "postgres")]
    pub(in crate::stores) fn put_back(self: Box<Self>) -> Box<Self> {
        self.claim.turn(Claim::TAKEN, Claim::WAITING);
        self
    }

    /// Settles the write: notifies the observers, releases the capacity, and sends the outcome to the caller if it still waits.
    pub(in crate::stores) fn settle(mut self: Box<Self>, outcome: Outcome) {
        let outcome = outcome.map_err(|error| self.in_terms_of_the_deadline(error));
        self.notify(outcome.as_ref().ok().copied());
        self.room = None;
        if let Some(answer) = self.answer.take() {
            // An error means that the caller no longer waits.
            let _ = answer.send((outcome, self));
        }
    }
}

impl Pending {
    /// Adds an observer.
    pub(in crate::stores) fn observe(&mut self, observer: Arc<dyn AppendSettled>) {
        match &self.observer {
            None => self.observer = Some(observer),
            Some(_) => self.other_observers.push(observer),
        }
    }

    /// Notifies the observers that the write is settled.
    fn notify(&mut self, recorded_at: Option<DateTime<Utc>>) {
        let others = std::mem::take(&mut self.other_observers);
        for observer in self.observer.take().into_iter().chain(others) {
            observer.settled(recorded_at);
        }
    }

    /// Replaces the error of a server that did not answer, or of a lock that was not released, if the caller's deadline has
    /// passed: the server may only be slower than the deadline, so the deadline is the cause.
    fn in_terms_of_the_deadline(&self, error: AppendError) -> AppendError {
        match (self.limit, &error) {
            (
                Limit::Callers,
                AppendError::Store(StoreError::Unavailable { .. } | StoreError::Busy { .. }),
            ) if Instant::now() >= self.deadline => {
                tracing::debug!(%error, "the deadline of a write has passed");
                self.limit.passed().into()
            }
            _ => error,
        }
    }
}

impl Drop for Pending {
    /// Notifies the observers, because a write that builds on this one must not wait for an outcome that will never come.
    fn drop(&mut self) {
        self.notify(None);
    }
}
