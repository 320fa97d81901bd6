//! Writes finished reductions to the cache in the background, so that no caller waits for the cache.
//!
//! A caller puts its aggregation into a bounded queue and goes on. The queue has at most one entry per log, the newest
//! aggregation. Aggregations that do not fit are dropped: the cache may lose anything. One task empties the queue. It runs only
//! while the queue has entries, so an idle manager costs nothing and needs no shutdown.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::caches::CacheError;
use crate::caching::AggregationCachingPolicy;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::erased::ErasedCache;
use crate::manager::options::LogManagerOptions;
use crate::manager::telemetry::Measures;
use crate::manager::telemetry::labels::CacheWrite;
use crate::sync::lock;
use crate::throttle::Throttle;
use crate::time_box;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// The number of groups of logs: one for each value of a byte. [`Group`] says what they are for.
const GROUPS: usize = 256;

/// The manager's handle on the queue.
pub(super) struct CacheWriter<A> {
    /// Shared with the task that empties the queue.
    shared: Arc<Shared<A>>,
}

/// The state that the manager and the task share.
struct Shared<A> {
    /// The cache that is written to.
    cache: Arc<dyn ErasedCache<A>>,
    /// Decides which aggregates are worth writing.
    policy: Arc<dyn AggregationCachingPolicy<A>>,
    /// The time after which entries expire, if the aggregate's rules have one.
    ttl: Option<Duration>,
    /// The time limit of one write.
    write_timeout: Duration,
    /// The number of logs that may wait.
    capacity: usize,
    /// A plain mutex: it is locked for a few map operations, never across an await.
    queue: Mutex<Queue<A>>,
    /// Woken when the task has emptied the queue or has ended.
    idle: Notify,
    /// Woken when the task has written an aggregation or has ended.
    written: Notify,
    /// The metrics.
    measures: Arc<Measures>,
    /// Lets few of the warnings about writes through. The metrics count all.
    warnings: Throttle,
}

/// The aggregations that wait.
struct Queue<A> {
    /// The newest aggregation of each log.
    waiting: HashMap<LogId, Aggregation<A>>,
    /// The logs in `waiting`, in the order of arrival.
    order: VecDeque<LogId>,
    /// The aggregation that is written now, unless its history turned out to be gone.
    writing: Option<Aggregation<A>>,
    /// The log whose aggregation is written now.
    busy_with: Option<LogId>,
    /// For each group of logs, how often they were forgotten and are being forgotten.
    groups: Box<[Group; GROUPS]>,
    /// `true` while a task empties the queue.
    running: bool,
}

/// Logs that reductions in progress take as forgotten together. The id of a log gives its group, so that the memory does not
/// grow with the number of forgotten logs. The price is that sometimes an aggregate of another log is not cached.
#[derive(Clone, Copy, Default)]
struct Group {
    /// The number of times that one of them was forgotten. An aggregation has the number from before its reduction began, and
    /// is not cached if the number has changed.
    epoch: u64,
    /// The number of them that are being forgotten now. Events read meanwhile may be old or new, so nothing is cached.
    forgetting: u32,
}

impl<A: Aggregate> CacheWriter<A> {
    pub(super) fn new(
        cache: Arc<dyn ErasedCache<A>>,
        options: LogManagerOptions<A>,
        measures: Arc<Measures>,
    ) -> Self {
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
                busy_with: None,
                running: false,
                groups: Box::new([Group::default(); GROUPS]),
            }),
            idle: Notify::new(),
            written: Notify::new(),
            measures,
            warnings: Throttle::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Queues an aggregation for the cache. Never waits.
    pub(super) fn offer(&self, aggregation: Aggregation<A>) {
        let mut queue = self.shared.queue();
        let log_id = aggregation.log_id();
        let Group { epoch, forgetting } = queue.groups[group(log_id)];
        if forgetting > 0 || aggregation.epoch() != epoch {
            tracing::debug!(%log_id, "the log was forgotten during the reduction; dropped an aggregate");
        } else if let Some(waiting) = queue.waiting.get_mut(&log_id) {
            if waiting.through_index() <= aggregation.through_index() {
                *waiting = aggregation;
            }
        } else if queue.waiting.len() < self.shared.capacity {
            queue.waiting.insert(log_id, aggregation);
            queue.order.push_back(log_id);
        } else {
            self.shared.measures.dropped();
            tracing::debug!(%log_id, "the cache is slower than the reductions; dropped an aggregate");
        }
        self.start(queue);
    }

    /// Returns the aggregation of a log that is queued or being written: newer than the cached one.
    pub(super) fn queued(&self, log_id: LogId) -> Option<Aggregation<A>> {
        let queue = self.shared.queue();
        let writing = || {
            queue
                .writing
                .as_ref()
                .filter(|writing| writing.log_id() == log_id)
        };
        queue.waiting.get(&log_id).or_else(writing).cloned()
    }

    /// Drops the entry that was reduced through a lost event, from the queue and from the cache. The caller waits for that, so
    /// it has the time limit of a lookup.
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
            // Harmless: the next reduction finds it again, and an aggregation of the true history may replace the entry.
            if let Some(times) = self.shared.warnings.next() {
                tracing::warn!(%log_id, times, "could not drop an aggregate from the cache");
            }
        }
    }

    /// Returns the epoch for a reduction of the log that begins now.
    pub(super) fn epoch(&self, log_id: LogId) -> u64 {
        self.shared.queue().groups[group(log_id)].epoch
    }

    /// Drops a log from the queue and from the cache, and ensures that no reduction that has already begun puts it back.
    pub(super) async fn forget_log(&self, log_id: LogId) -> Result<(), CacheError> {
        let _forgetting = {
            let mut queue = self.shared.queue();
            queue.groups[group(log_id)].forgetting += 1;
            if queue.waiting.remove(&log_id).is_some() {
                queue.order.retain(|waiting| *waiting != log_id);
            }
            Forgetting {
                shared: &self.shared,
                log_id,
            }
        };
        // A write in progress ends first: the cache might carry it out after the removal. The write has its own time limit.
        loop {
            let mut written = std::pin::pin!(self.shared.written.notified());
            // Registered before the look at the queue, or the wake-up in between would be lost.
            written.as_mut().enable();
            if self.shared.queue().busy_with != Some(log_id) {
                break;
            }
            written.await;
        }
        let forgotten = self.shared.cache.forget(log_id);
        tokio::time::timeout(self.shared.write_timeout, forgotten)
            .await
            .unwrap_or_else(|elapsed| Err(elapsed.into()))
    }

    /// Waits until the queue is empty.
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

    /// Starts the task if there is work and no task is running. Returns `true` if a task is running now.
    fn start(&self, mut queue: MutexGuard<'_, Queue<A>>) -> bool {
        if queue.running || queue.waiting.is_empty() {
            return queue.running;
        }
        // Outside a runtime (a future polled by hand) no task can run, so nothing is cached.
        let Ok(runtime) = Handle::try_current() else {
            queue.waiting.clear();
            queue.order.clear();
            return false;
        };
        queue.running = true;
        // A runtime that is shutting down drops the task immediately, and the task's `drop` takes the lock, too.
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
    fn queue(&self) -> MutexGuard<'_, Queue<A>> {
        lock(&self.queue)
    }
}

/// Ends the forgetting of a log, also if the future is dropped.
struct Forgetting<'a, A> {
    shared: &'a Shared<A>,
    log_id: LogId,
}

impl<A> Drop for Forgetting<'_, A> {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        let group = &mut queue.groups[group(self.log_id)];
        group.epoch += 1;
        group.forgetting -= 1;
    }
}

/// Returns the group of a log: the last byte of its id, which is random or part of a hash.
fn group(log_id: LogId) -> usize {
    let [.., last] = log_id.as_bytes();
    usize::from(*last)
}

/// The task that empties the queue. However it ends, another one can start: also if the runtime shuts down or the policy
/// panics.
struct Task<A> {
    /// Shared with the manager's [`CacheWriter`].
    shared: Arc<Shared<A>>,
    /// `true` if the task has set [`Queue::running`] to `false` itself.
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
                Some(Ok(())) => shared.measures.cached(CacheWrite::Done),
                Some(Err(error)) => {
                    shared.measures.cached(CacheWrite::Failed);
                    if let Some(times) = shared.warnings.next() {
                        tracing::warn!(%log_id, error, times, "could not cache an aggregate");
                    }
                }
                None => {
                    shared.measures.cached(CacheWrite::TooSlow);
                    let timeout = shared.write_timeout;
                    if let Some(times) = shared.warnings.next() {
                        tracing::warn!(%log_id, ?timeout, times, "caching an aggregate took too long");
                    }
                }
            }
        }
    }

    /// Takes the aggregation that has waited longest. If there is none, the task stops running in the same critical section,
    /// so that no offer in between is left without a task.
    fn next(&mut self) -> Option<Aggregation<A>> {
        let mut queue = self.shared.queue();
        queue.writing = None;
        queue.busy_with = None;
        self.shared.written.notify_waiters();
        while let Some(log_id) = queue.order.pop_front() {
            if let Some(aggregation) = queue.waiting.remove(&log_id) {
                queue.writing = Some(aggregation.clone());
                queue.busy_with = Some(log_id);
                return Some(aggregation);
            }
        }
        queue.running = false;
        self.done = true;
        None
    }
}

impl<A> Drop for Task<A> {
    fn drop(&mut self) {
        if !self.done {
            // The task was dropped early: `running` is still its own, and no other task has started.
            let mut queue = self.shared.queue();
            queue.running = false;
            queue.writing = None;
            queue.busy_with = None;
        }
        self.shared.idle.notify_waiters();
        self.shared.written.notify_waiters();
    }
}
