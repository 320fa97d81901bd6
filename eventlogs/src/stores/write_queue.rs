//! The way from the callers to the one task that writes.

use super::encoded::{self, EncodedWrite};
use super::{
    AppendError, AppendManyRequest, AppendObserver, AppendRequest, AppendSettled, Appended, Limits,
    StoreError,
};
use crate::{Event, LogState, time_box};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// How many events a writer puts into one batch at the most.
pub(super) const BATCH_EVENTS: usize = 1_000;
/// How many bytes a writer puts into one batch at the most. A larger write travels alone.
pub(super) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How long a caller waits beyond its own deadline for a writer that is writing, and will soon know what became of it.
const GRACE: Duration = Duration::from_millis(25);
/// How long beyond the store's timeout, which nobody counts the milliseconds of.
const LONG_GRACE: Duration = Duration::from_millis(250);

/// What a write is told: the recorded time, or why it did not happen.
pub(super) type Outcome = Result<DateTime<Utc>, AppendError>;

/// The callers' end.
pub(super) struct WriteQueue {
    /// The writer has the other end. It finishes once every handle on the store is gone and the queue is empty.
    jobs: mpsc::UnboundedSender<Job>,
    /// One permit a byte: the bound of the queue, and of what the writer holds. A write gives its permits back once it is
    /// answered.
    room: Arc<Semaphore>,
    /// How many permits there are; a write that is larger takes them all.
    capacity: u32,
    /// The line in front of a queue that fills up: one at a time encodes its events and waits for room. The others wait here
    /// with nothing but what they were called with, or the memory would be theirs instead of the queue's.
    line: Semaphore,
}

/// What a writer is asked.
pub(super) enum Job {
    /// To write.
    Write(Box<Pending>),
    /// To say when everything before is done, and to take nothing more.
    Close(oneshot::Sender<()>),
}

/// A write that waits for its answer.
///
/// It stays in the box in which it was queued, and goes back to its caller with the answer: what a task has allocated, it
/// frees. Freed in bulk by the writer, it would have all threads wait for one another in the allocator.
pub(super) struct Pending {
    /// The events.
    pub(super) write: EncodedWrite,
    /// When it was queued.
    pub(super) since: Instant,
    /// When its time is over.
    pub(super) deadline: Instant,
    /// Whose time that is.
    limit: Limit,
    /// The caller's future has the other end; taken when it is told.
    answer: Option<oneshot::Sender<Answer>>,
    /// Shared with the caller's future.
    claim: Arc<Claim>,
    /// Who else wants to know; taken when it is told.
    observer: Option<Arc<dyn AppendSettled>>,
    /// The write's share of the queue; given back before the caller is told, who may not listen.
    room: Option<OwnedSemaphorePermit>,
}

/// What a caller gets back: what became of its write, and the write, to be freed.
type Answer = (Outcome, Box<Pending>);

/// The caller's end of a write that waits.
struct Waiting {
    /// The writer has the other end.
    answered: oneshot::Receiver<Answer>,
    /// Lets the write be withdrawn.
    withdrawing: Withdrawing,
    /// When its time is over, and whose time that is.
    time: (Instant, Limit),
}

/// Whose time it is that is over first.
#[derive(Debug, Clone, Copy)]
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

impl WriteQueue {
    /// A queue, and the end that the writer takes from.
    pub(super) fn new(limits: &Limits) -> (Self, mpsc::UnboundedReceiver<Job>) {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let capacity = u32::try_from(limits.max_queued_bytes.max(1)).unwrap_or(u32::MAX);
        let capacity = capacity.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        let queue = Self {
            jobs,
            room: Arc::new(Semaphore::new(capacity as usize)),
            capacity,
            line: Semaphore::new(1),
        };
        (queue, receiver)
    }

    /// Has the events of a request appended, and waits for the commit.
    pub(super) async fn append<E: Event>(
        &self,
        request: &AppendRequest<'_, E>,
        limits: &Limits,
        timeout: Duration,
    ) -> Result<Appended<E>, AppendError> {
        let time = time(request.deadline, timeout)?;
        let turn = self.turn(time).await?;
        let (write, mut decoded) = encoded::encode(request, limits)?;
        let (mut pending, waiting) = pending(write, time);
        pending.room = Some(self.room(&pending.write, time).await?);
        drop(turn);
        if let Some(observer) = &request.observer {
            let decoded = std::mem::take(&mut decoded);
            // First told, then queued: the writer might settle it at once.
            observer.queued(encoded::records(request, decoded, Utc::now()));
            let observer: Arc<dyn AppendObserver<E>> = Arc::clone(observer);
            pending.observer = Some(observer);
        }
        self.queue(pending)?;
        let recorded_at = waiting.outcome().await?;
        Ok(Appended {
            state: request.state_after(),
            recorded_at,
            events: encoded::records(request, decoded, recorded_at),
        })
    }

    /// Has the events for several logs appended, and waits for the commit.
    pub(super) async fn append_many(
        &self,
        request: &AppendManyRequest<'_>,
        limits: &Limits,
        timeout: Duration,
    ) -> Result<Vec<LogState>, AppendError> {
        let time = time(request.deadline, timeout)?;
        let turn = self.turn(time).await?;
        let (mut pending, waiting) = pending(encoded::encode_many(request, limits)?, time);
        pending.room = Some(self.room(&pending.write, time).await?);
        drop(turn);
        self.queue(pending)?;
        waiting.outcome().await?;
        Ok(request.states_after())
    }

    /// Waits in the line, if the queue is half full; else there is no line.
    async fn turn(
        &self,
        time: (Instant, Limit),
    ) -> Result<Option<SemaphorePermit<'_>>, StoreError> {
        if self.room.available_permits() > self.capacity as usize / 2 {
            return Ok(None);
        }
        until(time, self.line.acquire()).await.map(Some)
    }

    /// Waits until the queue has room for a write.
    async fn room(
        &self,
        write: &EncodedWrite,
        time: (Instant, Limit),
    ) -> Result<OwnedSemaphorePermit, StoreError> {
        let bytes = u32::try_from(write.bytes()).unwrap_or(u32::MAX);
        let bytes = bytes.min(self.capacity);
        match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(room) => Ok(room),
            Err(_) => until(time, Arc::clone(&self.room).acquire_many_owned(bytes)).await,
        }
    }

    fn queue(&self, pending: Box<Pending>) -> Result<(), StoreError> {
        let sent = self.jobs.send(Job::Write(pending));
        sent.map_err(|_| StoreError::Closed)
    }

    /// Waits until everything that was queued is written, and lets nothing more in.
    pub(super) async fn close(&self) {
        self.room.close();
        self.line.close();
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).is_ok() {
            // An error means that the writer has ended already.
            let _ = answered.await;
        }
    }
}

/// When the time of a write is over that begins now, and whose time that is. An error if it is over already: then nothing is
/// even encoded.
fn time(
    asked: Option<std::time::Instant>,
    timeout: Duration,
) -> Result<(Instant, Limit), StoreError> {
    let own = time_box::end_after(timeout);
    match asked.map(Instant::from) {
        Some(asked) if asked <= own => {
            if asked <= Instant::now() {
                return Err(Limit::Callers.passed());
            }
            Ok((asked, Limit::Callers))
        }
        _ => Ok((own, Limit::Stores)),
    }
}

/// Waits for a permit. In a box, since it is seldom waited for, and every append's future would have room for it.
fn until<'a, T>(
    (deadline, limit): (Instant, Limit),
    permit: impl Future<Output = Result<T, AcquireError>> + Send + 'a,
) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(async move {
        match timeout_at(deadline, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(limit.passed()),
        }
    })
}

/// A write that is about to be queued, and the caller's end of it.
fn pending(write: EncodedWrite, time: (Instant, Limit)) -> (Box<Pending>, Waiting) {
    let (sender, answered) = oneshot::channel();
    let claim = Arc::new(Claim(AtomicU8::new(Claim::WAITING)));
    let waiting = Waiting {
        answered,
        withdrawing: Withdrawing(Arc::clone(&claim)),
        time,
    };
    let (deadline, limit) = time;
    let pending = Pending {
        write,
        since: Instant::now(),
        deadline,
        limit,
        answer: Some(sender),
        claim,
        observer: None,
        room: None,
    };
    (Box::new(pending), waiting)
}

impl Waiting {
    /// Waits for the answer.
    async fn outcome(self) -> Outcome {
        let Self {
            mut answered,
            withdrawing,
            time: (deadline, limit),
        } = self;
        match timeout_at(deadline, &mut answered).await {
            Ok(Ok((outcome, _written))) => outcome,
            // The writer has gone. What it has not taken is not written.
            Ok(Err(_)) if withdrawing.withdrawn() => Err(StoreError::Closed.into()),
            Ok(Err(_)) => Err(StoreError::OutcomeUnknown { source: None }.into()),
            Err(_) if withdrawing.withdrawn() => Err(limit.passed().into()),
            Err(_) => Box::pin(late(answered, withdrawing, deadline + limit.grace(), limit)).await,
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
    pub(super) fn take(self: Box<Self>, now: Instant) -> Option<Box<Self>> {
        if now >= self.deadline {
            let passed = self.limit.passed();
            self.tell(Err(passed.into()));
            return None;
        }
        self.claim.settle(Claim::TAKEN).then_some(self)
    }

    /// Gives the write back to its caller, who may withdraw it, because it was not written and waits once more.
    #[cfg(feature = "postgres")]
    pub(super) fn put_back(self: Box<Self>) -> Box<Self> {
        self.claim.turn(Claim::TAKEN, Claim::WAITING);
        self
    }

    /// Tells the caller, if it is still there.
    pub(super) fn tell(mut self: Box<Self>, outcome: Outcome) {
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

/// How much is in a batch.
#[derive(Default)]
pub(super) struct BatchSize {
    events: usize,
    bytes: usize,
}

impl BatchSize {
    /// Counts one more write.
    pub(super) fn add(&mut self, write: &EncodedWrite) {
        self.events += write.event_count();
        self.bytes += write.bytes();
    }

    /// Whether nothing more belongs into the batch.
    pub(super) const fn is_full(&self) -> bool {
        self.events >= BATCH_EVENTS || self.bytes >= BATCH_BYTES
    }

    /// Whether this write still belongs into the batch, which is not empty.
    #[cfg(feature = "postgres")]
    pub(super) fn has_room_for(&self, write: &EncodedWrite) -> bool {
        self.events + write.event_count() <= BATCH_EVENTS
            && self.bytes + write.bytes() <= BATCH_BYTES
    }
}
