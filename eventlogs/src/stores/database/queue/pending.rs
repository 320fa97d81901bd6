//! A write that waits for its answer: the writer's end and the caller's end of it.

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

/// How long a caller waits beyond its own deadline for a writer that is writing, and will soon know what became of it.
const GRACE: Duration = Duration::from_millis(25);
/// How long beyond the store's timeout, which nobody counts the milliseconds of.
const LONG_GRACE: Duration = Duration::from_millis(250);

/// What a write is told: the recorded time, or why it did not happen.
pub(in crate::stores) type Outcome = Result<DateTime<Utc>, AppendError>;

/// A write that waits for its answer.
///
/// It stays in the box in which it was queued, and goes back to its caller with the answer: what a task has allocated, it
/// frees. Freed in bulk by the writer, it would have all threads wait for one another in the allocator.
pub(in crate::stores) struct Pending {
    /// The events.
    pub(in crate::stores) write: EncodedWrite,
    /// When it was queued.
    pub(in crate::stores) since: Instant,
    /// When its time is over.
    pub(in crate::stores) deadline: Instant,
    /// Whose time that is.
    limit: Limit,
    /// The caller's future has the other end; taken when it is told.
    answer: Option<oneshot::Sender<Answer>>,
    /// Shared with the caller's future.
    claim: Arc<Claim>,
    /// Who else wants to know; taken when it is told.
    pub(in crate::stores) observer: Option<Arc<dyn AppendSettled>>,
    /// The write's share of the queue; given back before the caller is told, who may not listen.
    pub(in crate::stores) room: Option<OwnedSemaphorePermit>,
}

/// What a caller gets back: what became of its write, and the write, to be freed.
type Answer = (Outcome, Box<Pending>);

/// The caller's end of a write that waits.
pub(in crate::stores) struct Waiting {
    /// The writer has the other end.
    answered: oneshot::Receiver<Answer>,
    /// Lets the write be withdrawn.
    withdrawing: Withdrawing,
    /// When its time is over.
    time: TimeLimit,
}

/// When the time of a write is over, and whose time that is.
#[derive(Clone, Copy)]
pub(in crate::stores) struct TimeLimit {
    /// When.
    pub(in crate::stores) at: Instant,
    /// Whose.
    limit: Limit,
}

/// Whose time it is that is over first.
#[derive(Clone, Copy)]
enum Limit {
    /// The deadline that the caller has set.
    Callers,
    /// The store's own timeout.
    Stores,
}

impl Limit {
    /// What the caller is told when the time is over before the writer has taken the write.
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

/// Whether a write is still the caller's to withdraw. Decided once, so that a caller who gives up knows whether anything
/// can have been written.
struct Claim(AtomicU8);

impl Claim {
    const WAITING: u8 = 0;
    const TAKEN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    fn settle(&self, on: u8) -> bool {
        self.turn(Self::WAITING, on)
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        // It guards no other memory, the write itself travels through the channel.
        let turned = self
            .0
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        turned.is_ok()
    }
}

/// Withdraws a write when its caller goes away before the writer has taken it.
struct Withdrawing(Arc<Claim>);

impl Withdrawing {
    /// Withdraws the write; `false` if the writer has it.
    fn withdrawn(&self) -> bool {
        self.0.settle(Claim::WITHDRAWN)
    }
}

impl Drop for Withdrawing {
    fn drop(&mut self) {
        self.0.settle(Claim::WITHDRAWN);
    }
}

impl TimeLimit {
    /// That of a write that begins now. An error if its time is over already: then nothing is even encoded.
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

    /// What the caller is told when the time is over before the writer has taken the write.
    pub(in crate::stores) const fn passed(self) -> StoreError {
        self.limit.passed()
    }
}

/// A write that is about to be queued, and the caller's end of it.
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
        room: None,
    };
    (Box::new(pending), waiting)
}

impl Waiting {
    /// Waits for the answer.
    pub(in crate::stores) async fn outcome(self) -> Outcome {
        let Self {
            mut answered,
            withdrawing,
            time: TimeLimit { at, limit },
        } = self;
        match timeout_at(at, &mut answered).await {
            Ok(Ok((outcome, _written))) => outcome,
            // The writer has gone. What it has not taken is not written.
            Ok(Err(_)) if withdrawing.withdrawn() => Err(StoreError::Closed.into()),
            Ok(Err(_)) => Err(StoreError::OutcomeUnknown { source: None }.into()),
            Err(_) if withdrawing.withdrawn() => Err(limit.passed().into()),
            Err(_) => Box::pin(late(answered, withdrawing, at + limit.grace(), limit)).await,
        }
    }
}

/// Waits a little longer for the answer to a write that is under way. In a box, being seldom waited for.
async fn late(
    answered: oneshot::Receiver<Answer>,
    withdrawing: Withdrawing,
    end: Instant,
    limit: Limit,
) -> Outcome {
    match timeout_at(end, answered).await {
        Ok(Ok((outcome, _written))) => outcome,
        // Put back meanwhile, without having been written.
        _ if withdrawing.withdrawn() => Err(limit.passed().into()),
        _ => Err(StoreError::OutcomeUnknown { source: None }.into()),
    }
}

impl Pending {
    /// Takes the write over from its caller; not if the caller has withdrawn it, or if its time is over.
    pub(in crate::stores) fn take(self: Box<Self>, now: Instant) -> Option<Box<Self>> {
        if now >= self.deadline {
            let passed = self.limit.passed();
            self.tell(Err(passed.into()));
            return None;
        }
        self.claim.settle(Claim::TAKEN).then_some(self)
    }

    /// Gives the write back to its caller, who may withdraw it, because it was not written and waits once more.
    #[cfg(feature = "postgres")]
    pub(in crate::stores) fn put_back(self: Box<Self>) -> Box<Self> {
        self.claim.turn(Claim::TAKEN, Claim::WAITING);
        self
    }

    /// Tells the caller, if it is still there.
    pub(in crate::stores) fn tell(mut self: Box<Self>, outcome: Outcome) {
        let outcome = outcome.map_err(|error| self.in_terms_of_the_deadline(error));
        if let Some(observer) = self.observer.take() {
            observer.settled(outcome.as_ref().ok().copied());
        }
        self.room = None;
        if let Some(answer) = self.answer.take() {
            // An error means that the caller has gone away.
            let _ = answer.send((outcome, self));
        }
    }
}

impl Pending {
    /// A server that did not answer, or a lock that was not free, before a caller's deadline may be only slower than that: it
    /// is the deadline that has ended the write.
    fn in_terms_of_the_deadline(&self, error: AppendError) -> AppendError {
        match (self.limit, &error) {
            (
                Limit::Callers,
                AppendError::Store(StoreError::Unavailable { .. } | StoreError::Busy { .. }),
            ) if Instant::now() >= self.deadline => {
                tracing::debug!(%error, "a deadline passed before a write");
                self.limit.passed().into()
            }
            _ => error,
        }
    }
}

impl Drop for Pending {
    /// Whoever builds on the write must not wait for an answer that will not come.
    fn drop(&mut self) {
        if let Some(observer) = self.observer.take() {
            observer.settled(None);
        }
    }
}
