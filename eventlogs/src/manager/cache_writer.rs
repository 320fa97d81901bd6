//! Takes finished reductions to the cache, off the callers' path.
//!
//! A caller leaves its aggregation in a bounded queue and goes on; nobody ever waits for the cache. A log waits at most
//! once, with its newest aggregation. What does not fit is dropped: the cache may lose anything. The task that empties
//! the queue lives only as long as there is something in it, so a manager at rest costs nothing and needs no shutdown.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::caches::CacheError;
use crate::caching::AggregationCachingPolicy;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::erased::ErasedCache;
use crate::manager::options::LogManagerOptions;
use crate::sync::lock;
use crate::time_box;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// How many groups of logs are told apart where logs are forgotten: as many as a byte has values.
const GROUPS: usize = 256;

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
    /// Woken whenever the task has written one, or ended.
    written: Notify,
}

/// The aggregations that wait.
struct Queue<A> {
    /// The newest aggregation of each log.
    waiting: HashMap<LogId, Aggregation<A>>,
    /// The logs in `waiting`, in the order of arrival.
    order: VecDeque<LogId>,
    /// The one that is being written now, unless its history turned out to be gone.
    writing: Option<Aggregation<A>>,
    /// The log that is being written now.
    busy_with: Option<LogId>,
    /// What is being forgotten, and was.
    groups: Box<[Group; GROUPS]>,
    /// Whether a task is emptying the queue.
    running: bool,
}

/// Logs that are forgotten together, as far as that matters to reductions under way. A log's group is found by its id, so that
/// this needs no more room the more logs are forgotten; the price is that now and then an aggregate of another log is not
/// cached.
#[derive(Clone, Copy, Default)]
struct Group {
    /// How often one of them was forgotten. An aggregation knows how often that had been before its reduction began, and is
    /// not kept if it has changed.
    epoch: u64,
    /// How many of them are being forgotten now. What was read meanwhile may be old or new, so nothing is kept.
    forgetting: u32,
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
                busy_with: None,
                running: false,
                groups: Box::new([Group::default(); GROUPS]),
            }),
            idle: Notify::new(),
            written: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Leaves an aggregation for the cache. Never waits.
    pub(super) fn offer(&self, aggregation: Aggregation<A>) {
        let mut queue = self.shared.queue();
        let log_id = aggregation.log_id();
        let Group { epoch, forgetting } = queue.groups[group(log_id)];
        if forgetting > 0 || aggregation.epoch() != epoch {
            tracing::debug!(%log_id, "the log was forgotten meanwhile; dropped an aggregate");
        } else if let Some(waiting) = queue.waiting.get_mut(&log_id) {
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

    /// What a reduction of the log that begins now has to be marked with.
    pub(super) fn epoch(&self, log_id: LogId) -> u64 {
        self.shared.queue().groups[group(log_id)].epoch
    }

    /// Drops what is kept of a log and what is on its way, and sees to it that no reduction that has begun by now puts it
    /// back.
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
        // A write that is under way ends first: the cache might take it for a later one. It has a time box of its own.
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
    fn queue(&self) -> MutexGuard<'_, Queue<A>> {
        lock(&self.queue)
    }
}

/// Ends the forgetting, however it ends.
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

/// The last byte of an id is random, or of a hash.
fn group(log_id: LogId) -> usize {
    let [.., last] = log_id.as_bytes();
    usize::from(*last)
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
            // Ended before its time, so `running` still stands for this task and nobody else has started.
            let mut queue = self.shared.queue();
            queue.running = false;
            queue.writing = None;
            queue.busy_with = None;
        }
        self.shared.idle.notify_waiters();
        self.shared.written.notify_waiters();
    }
}
