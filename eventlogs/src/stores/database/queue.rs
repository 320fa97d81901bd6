//! The queue from the callers to the writer.

pub(crate) mod batch_size;
pub(crate) mod pending;

use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::database::telemetry::StoreMetrics;
use crate::stores::encoding::records::{Place, records};
use crate::stores::encoding::write::{EncodedWrite, encode, encode_across};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::limits::Limits;
use crate::stores::request::{AppendObserver, AppendRequest, Appended};
use chrono::Utc;
use futures_util::future::BoxFuture;
use pending::{Pending, Room, TimeLimit, pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::time::timeout_at;

/// The callers' end of the queue.
pub(in crate::stores) struct WriteQueue {
    /// Sends jobs to the writer. The writer ends when every handle on the store is dropped and the queue is empty.
    jobs: mpsc::UnboundedSender<Job>,
    /// The free capacity of the queue, one permit per byte. It limits the writes in the queue and those that the writer holds.
    /// A write returns its permits when it is settled.
    room: Arc<Semaphore>,
    /// The total number of permits. A larger write takes all of them.
    capacity: u32,
    /// When the queue fills up, only the caller with this permit encodes its events and waits for capacity. The other callers
    /// wait here before they encode. Otherwise their encoded events would take memory outside the limit of the queue.
    line: Semaphore,
    /// Measures the queue.
    metrics: Arc<StoreMetrics>,
}

/// A job for the writer.
pub(in crate::stores) enum Job {
    /// Write these events.
    Write(Box<Pending>),
    /// Finish all jobs before this one, take no more, and answer when they are done.
    Close(oneshot::Sender<()>),
}

impl WriteQueue {
    /// Makes a queue, and returns it with the writer's end.
    pub(in crate::stores) fn new(
        limits: &Limits,
        metrics: Arc<StoreMetrics>,
    ) -> (Self, mpsc::UnboundedReceiver<Job>) {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let capacity = u32::try_from(limits.max_queued_bytes.max(1)).unwrap_or(u32::MAX);
        let capacity = capacity.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        let queue = Self {
            jobs,
            room: Arc::new(Semaphore::new(capacity as usize)),
            capacity,
            line: Semaphore::new(1),
            metrics,
        };
        (queue, receiver)
    }

    /// Queues the events of a request, and waits until they are committed.
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
            // Notify the observer before queueing the write: the writer could settle it immediately.
            observer.queued(records(&Place::of(request), decoded, Utc::now()));
            let observer: Arc<dyn AppendObserver<E>> = Arc::clone(observer);
            pending.observer = Some(observer);
        }
        self.queue(pending)?;
        let recorded_at = waiting.outcome().await?;
        Ok(Appended {
            state: request.state_after(),
            recorded_at,
            events: records(&Place::of(request), decoded, recorded_at),
        })
    }

    /// Queues events for several logs, and waits until they are committed.
    pub(in crate::stores) async fn append_across(
        &self,
        request: &AppendAcrossRequest<'_>,
        limits: &Limits,
        timeout: Duration,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let time = TimeLimit::new(request.context.deadline, timeout)?;
        let turn = self.turn(time).await?;
        let (write, observers) = encode_across(request, limits)?;
        let (mut pending, waiting) = pending(write, time);
        pending.room = Some(self.room(&pending.write, time).await?);
        drop(turn);
        let guess = Utc::now();
        for (part, observed) in request.parts.iter().zip(observers) {
            if let Some(observed) = observed {
                let observer = observed.queued(&part.place(&request.context), guess);
                pending.observe(observer);
            }
        }
        self.queue(pending)?;
        waiting.outcome().await?;
        Ok(request.states_after())
    }

    /// Waits until no other caller encodes, if the queue is at least half full. Otherwise returns immediately, without a
    /// permit.
    async fn turn(&self, time: TimeLimit) -> Result<Option<SemaphorePermit<'_>>, StoreError> {
        if self.room.available_permits() > self.capacity as usize / 2 {
            return Ok(None);
        }
        until(time, self.line.acquire()).await.map(Some)
    }

    /// Waits until the queue has capacity for a write.
    async fn room(&self, write: &EncodedWrite, time: TimeLimit) -> Result<Room, StoreError> {
        let bytes = u32::try_from(write.bytes()).unwrap_or(u32::MAX);
        let bytes = bytes.min(self.capacity);
        let permit = match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(permit) => permit,
            Err(_) => until(time, Arc::clone(&self.room).acquire_many_owned(bytes)).await?,
        };
        Ok(Room {
            _permit: permit,
            _counted: self.metrics.queued(bytes),
        })
    }

    fn queue(&self, pending: Box<Pending>) -> Result<(), StoreError> {
        let sent = self.jobs.send(Job::Write(pending));
        sent.map_err(|_| StoreError::Closed)
    }

    /// Closes the queue to further writes, and waits until all queued writes are settled.
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

/// Waits for a permit until a time limit. The future is boxed, because it is rarely needed and would enlarge the future of
/// every append.
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
