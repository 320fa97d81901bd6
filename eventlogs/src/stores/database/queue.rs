//! The way from the callers to the one task that writes.

pub(crate) mod batch_size;
pub(crate) mod pending;

use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::encoding::write::{EncodedWrite, encode, encode_across, records};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::limits::Limits;
use crate::stores::request::{AppendObserver, AppendRequest, Appended};
use chrono::Utc;
use futures_util::future::BoxFuture;
use pending::{Pending, TimeLimit, pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::time::timeout_at;

/// The callers' end.
pub(in crate::stores) struct WriteQueue {
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
pub(in crate::stores) enum Job {
    /// To write.
    Write(Box<Pending>),
    /// To say when everything before is done, and to take nothing more.
    Close(oneshot::Sender<()>),
}

impl WriteQueue {
    /// A queue, and the end that the writer takes from.
    pub(in crate::stores) fn new(limits: &Limits) -> (Self, mpsc::UnboundedReceiver<Job>) {
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
    pub(in crate::stores) async fn append<E: Event>(
        &self,
        request: &AppendRequest<'_, E>,
        limits: &Limits,
        timeout: Duration,
    ) -> Result<Appended<E>, AppendError> {
        let time = TimeLimit::new(request.context.deadline, timeout)?;
        let turn = self.turn(time).await?;
        let (write, mut decoded) = encode(request, limits)?;
        let (mut pending, waiting) = pending(write, time);
        pending.room = Some(self.room(&pending.write, time).await?);
        drop(turn);
        if let Some(observer) = &request.observer {
            let decoded = std::mem::take(&mut decoded);
            // First told, then queued: the writer might settle it at once.
            observer.queued(records(request, decoded, Utc::now()));
            let observer: Arc<dyn AppendObserver<E>> = Arc::clone(observer);
            pending.observer = Some(observer);
        }
        self.queue(pending)?;
        let recorded_at = waiting.outcome().await?;
        Ok(Appended {
            state: request.state_after(),
            recorded_at,
            events: records(request, decoded, recorded_at),
        })
    }

    /// Has the events for several logs appended, and waits for the commit.
    pub(in crate::stores) async fn append_across(
        &self,
        request: &AppendAcrossRequest<'_>,
        limits: &Limits,
        timeout: Duration,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let time = TimeLimit::new(request.context.deadline, timeout)?;
        let turn = self.turn(time).await?;
        let (mut pending, waiting) = pending(encode_across(request, limits)?, time);
        pending.room = Some(self.room(&pending.write, time).await?);
        drop(turn);
        self.queue(pending)?;
        waiting.outcome().await?;
        Ok(request.states_after())
    }

    /// Waits in the line, if the queue is half full; else there is no line.
    async fn turn(&self, time: TimeLimit) -> Result<Option<SemaphorePermit<'_>>, StoreError> {
        if self.room.available_permits() > self.capacity as usize / 2 {
            return Ok(None);
        }
        until(time, self.line.acquire()).await.map(Some)
    }

    /// Waits until the queue has room for a write.
    async fn room(
        &self,
        write: &EncodedWrite,
        time: TimeLimit,
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
    pub(in crate::stores) async fn close(&self) {
        self.room.close();
        self.line.close();
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).is_ok() {
            // An error means that the writer has ended already.
            let _ = answered.await;
        }
    }
}

/// Waits for a permit. In a box, since it is seldom waited for, and every append's future would have room for it.
fn until<'a, T>(
    time: TimeLimit,
    permit: impl Future<Output = Result<T, AcquireError>> + Send + 'a,
) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(async move {
        match timeout_at(time.at, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(time.passed()),
        }
    })
}
