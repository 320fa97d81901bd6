//! Takes finished reductions to the cache, off the callers' path.
//!
//! A caller leaves its aggregation in a bounded queue and goes on; nobody ever waits for the cache. A log waits at most
//! once, with its newest aggregation. What does not fit is dropped: the cache may lose anything. The task that empties
//! the queue lives only as long as there is something in it, so a manager at rest costs nothing and needs no shutdown.

use super::LogManagerOptions;
use super::erased::ErasedCache;
use crate::ids::LogId;
use crate::{Aggregate, Aggregation, AggregationCachingPolicy, LogPosition, time_box};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// The handle that the manager holds.
pub(super) struct CacheWriter<A> {
    /// Shared with the task that empties the queue.
    shared: Arc<Shared<A>>,
}

/// What the manager and the task share.
struct Shared<A> {
    /// Where to write to.
    cache: Arc<dyn ErasedCache<A>>,
    /// What is worth writing.
    policy: Arc<dyn AggregationCachingPolicy<A>>,
    /// How long entries live, if the aggregate's rules say so.
    ttl: Option<Duration>,
    /// The time box of one write.
    write_timeout: Duration,
    /// How many logs may wait.
    capacity: usize,
    /// Locked for the time of a few map operations, never across an await: a plain mutex.
    queue: Mutex<Queue<A>>,
    /// Woken whenever the task has emptied the queue, or ended.
    idle: Notify,
}

/// The aggregations that wait.
struct Queue<A> {
    /// The newest aggregation of each log.
    waiting: HashMap<LogId, Aggregation<A>>,
    /// The logs in `waiting`, in the order of arrival.
    order: VecDeque<LogId>,
    /// The one that is being written now.
    writing: Option<Aggregation<A>>,
    /// Whether a task is emptying the queue.
    running: bool,
}

impl<A: Aggregate> CacheWriter<A> {
    pub(super) fn new(cache: Arc<dyn ErasedCache<A>>, options: LogManagerOptions<A>) -> Self {
        let (policy, ttl) = match options.caching_policy {
            Some(policy) => (policy, None),
            None => (
                Arc::new(A::CACHE) as Arc<dyn AggregationCachingPolicy<A>>,
                A::CACHE.entry_ttl(),
            ),
        };
        let shared = Shared {
            cache,
            policy,
            ttl,
            write_timeout: options.cache_write_timeout,
            capacity: options.cache_queue,
            queue: Mutex::new(Queue {
                waiting: HashMap::new(),
                order: VecDeque::new(),
                writing: None,
                running: false,
            }),
            idle: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Leaves an aggregation for the cache. Never waits.
    pub(super) fn offer(&self, aggregation: Aggregation<A>) {
        let mut queue = self.shared.queue();
        let log_id = aggregation.log_id();
        if let Some(waiting) = queue.waiting.get_mut(&log_id) {
            if waiting.through_index() <= aggregation.through_index() {
                *waiting = aggregation;
            }
        } else if queue.waiting.len() < self.shared.capacity {
            queue.waiting.insert(log_id, aggregation);
            queue.order.push_back(log_id);
        } else {
            tracing::debug!(%log_id, "the cache is slower than the reductions; dropped an aggregate");
        }
        self.start(queue);
    }

    /// The aggregation of a log that is on its way to the cache: newer than what the cache has.
    pub(super) fn on_its_way(&self, log_id: LogId) -> Option<Aggregation<A>> {
        let queue = self.shared.queue();
        let writing = || {
            queue
                .writing
                .as_ref()
                .filter(|writing| writing.log_id() == log_id)
        };
        queue.waiting.get(&log_id).or_else(writing).cloned()
    }

    /// Drops the entry that was reduced through a lost event, in the cache and on its way there. The caller waits for
    /// it, so it has the time box of a look-up.
    pub(super) async fn forget(&self, state: LogPosition, at_most: Duration) {
        let log_id = state.log_id();
        {
            let mut queue = self.shared.queue();
            if queue
                .waiting
                .get(&log_id)
                .is_some_and(|waiting| waiting.position() == state)
            {
                queue.waiting.remove(&log_id);
                queue.order.retain(|waiting| *waiting != log_id);
            }
            queue.writing.take_if(|writing| writing.position() == state);
        }
        let end = time_box::end_after(at_most);
        let removed = time_box::until(end, self.shared.cache.remove(state)).await;
        if !matches!(removed, Some(Ok(()))) {
            // Harmless: the next reduction finds out again, and a put of the true history may replace the entry.
            tracing::warn!(%log_id, "could not drop an aggregate from the cache");
        }
    }

    /// Waits until nothing waits.
    pub(super) async fn flush(&self) {
        loop {
            let mut idle = std::pin::pin!(self.shared.idle.notified());
            // Registered before the look at the queue, or the wake-up in between would be lost.
            idle.as_mut().enable();
            if !self.start(self.shared.queue()) {
                return;
            }
            idle.await;
        }
    }

    /// Starts the task if there is work and nobody on it; says whether somebody is on it now.
    fn start(&self, mut queue: MutexGuard<'_, Queue<A>>) -> bool {
        if queue.running || queue.waiting.is_empty() {
            return queue.running;
        }
        // Outside a runtime (a future polled by hand) there is nobody to do the work; the cache does without.
        let Ok(runtime) = Handle::try_current() else {
            queue.waiting.clear();
            queue.order.clear();
            return false;
        };
        queue.running = true;
        // A runtime that is shutting down drops the task at once, and the task's end takes the lock, too.
        drop(queue);
        let task = Task {
            shared: Arc::clone(&self.shared),
            done: false,
        };
        runtime.spawn(task.empty_the_queue());
        true
    }
}

impl<A> Shared<A> {
    /// A panic elsewhere cannot have left the queue half-changed in a way that matters: it only loses entries.
    fn queue(&self) -> MutexGuard<'_, Queue<A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that empties the queue. However it ends, by a runtime that shuts down or a policy that panics, too, another
/// one can start.
struct Task<A> {
    /// The other end is the manager's [`CacheWriter`].
    shared: Arc<Shared<A>>,
    /// Whether it has said so itself that it is not running any more.
    done: bool,
}

impl<A: Aggregate> Task<A> {
    async fn empty_the_queue(mut self) {
        while let Some(aggregation) = self.next() {
            let shared = &self.shared;
            if !shared.policy.should_cache(&aggregation) {
                continue;
            }
            let log_id = aggregation.log_id();
            let put = shared.cache.put(aggregation, shared.ttl);
            match time_box::until(time_box::end_after(shared.write_timeout), put).await {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::warn!(%log_id, error, "could not cache an aggregate"),
                None => {
                    let timeout = shared.write_timeout;
                    tracing::warn!(%log_id, ?timeout, "caching an aggregate took too long");
                }
            }
        }
    }

    /// The aggregation that has waited longest. Having none and ceasing to run are one step, so that no offer in
    /// between is left without a task.
    fn next(&mut self) -> Option<Aggregation<A>> {
        let mut queue = self.shared.queue();
        while let Some(log_id) = queue.order.pop_front() {
            if let Some(aggregation) = queue.waiting.remove(&log_id) {
                queue.writing = Some(aggregation.clone());
                return Some(aggregation);
            }
        }
        queue.writing = None;
        queue.running = false;
        self.done = true;
        None
    }
}

impl<A> Drop for Task<A> {
    fn drop(&mut self) {
        if !self.done {
            // Ended before its time, so `running` still stands for this task and nobody else has started.
            let mut queue = self.shared.queue();
            queue.running = false;
            queue.writing = None;
        }
        self.shared.idle.notify_waiters();
    }
}
