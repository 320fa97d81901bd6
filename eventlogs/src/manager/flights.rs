//! Full reductions that callers share: many callers who ask for one log at the same time cause one full read.
//!
//! A caller must get a state that is no older than its call. So a read answers those who asked before it was sent. All who ask
//! later are answered by the next read together, which reads only the events after the first one.
//!
//! The reads of a log are one future. As long as there is a single caller, that caller polls it, because a task of its own would
//! cost as much as a small read. When a second caller joins, the future gets a task of its own. So a caller who gives up, or who
//! stops polling, holds up no other caller.

use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::sync::lock;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Context;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The full reductions in progress, by their logs.
pub(super) struct Flights<A> {
    flying: Arc<Mutex<Flying<A>>>,
}

type Flying<A> = HashMap<LogId, Entry<A>>;

/// The full reduction of a log that is in progress.
struct Entry<A> {
    /// The callers who wait for the next read.
    callers: Vec<Caller<A>>,
    /// The reads.
    course: Arc<Course>,
}

/// The reads of a log, as a future.
struct Course {
    /// The future, until it has a task of its own. Locked only while the first caller polls it, or takes it out.
    reads: Mutex<Option<BoxFuture<'static, ()>>>,
    /// `true` after another caller has joined.
    is_shared: AtomicBool,
}

/// A caller who waits for a read.
pub(super) type Caller<A> = oneshot::Sender<Outcome<A>>;

/// The result of a read.
pub(super) enum Outcome<A> {
    /// The state, or the error.
    Done(Result<Aggregation<A>, LogManagerError>),
    /// The aggregate panicked with this message.
    Panicked(String),
}

impl<A> Clone for Outcome<A> {
    // Written by hand: a derived `Clone` would demand `A: Clone`.
    fn clone(&self) -> Self {
        match self {
            Self::Done(result) => Self::Done(result.clone()),
            Self::Panicked(text) => Self::Panicked(text.clone()),
        }
    }
}

/// The end of a full reduction: it takes the log off the list.
pub(super) struct Flight<A> {
    flying: Arc<Mutex<Flying<A>>>,
    /// The log.
    pub(super) log_id: LogId,
    /// `true` if the log was taken off the list.
    is_over: bool,
}

impl<A> Default for Flights<A> {
    fn default() -> Self {
        Self {
            flying: Arc::default(),
        }
    }
}

impl<A> Flights<A> {
    /// Waits for the next read of a log, and returns its result, or `None` if the runtime of the reads is shutting down.
    ///
    /// `reads` makes the future of the reads, if there is none yet for this log.
    pub(super) async fn join(
        &self,
        log_id: LogId,
        runtime: &Handle,
        reads: impl FnOnce(Flight<A>) -> BoxFuture<'static, ()>,
    ) -> Option<Outcome<A>> {
        let (caller, answer) = oneshot::channel();
        let leader = {
            let mut flying = lock(&self.flying);
            match flying.entry(log_id) {
                MapEntry::Occupied(mut found) => {
                    found.get_mut().callers.push(caller);
                    let course = Arc::clone(&found.get().course);
                    drop(flying);
                    course.share(runtime);
                    None
                }
                MapEntry::Vacant(place) => {
                    let flight = Flight {
                        flying: Arc::clone(&self.flying),
                        log_id,
                        is_over: false,
                    };
                    let course = Arc::new(Course {
                        reads: Mutex::new(Some(reads(flight))),
                        is_shared: AtomicBool::new(false),
                    });
                    place.insert(Entry {
                        callers: vec![caller],
                        course: Arc::clone(&course),
                    });
                    Some(course)
                }
            }
        };
        match leader {
            Some(course) => course.lead(answer, runtime).await,
            None => answer.await.ok(),
        }
    }
}

impl Course {
    /// Gives the reads a task of their own.
    fn share(&self, runtime: &Handle) {
        self.is_shared.store(true, Ordering::SeqCst);
        // If the first caller polls the reads now, it hands them over afterwards.
        if let Ok(mut reads) = self.reads.try_lock()
            && let Some(reads) = reads.take()
        {
            runtime.spawn(reads);
        }
    }

    /// Polls the reads until there is an answer, or another caller joins.
    async fn lead<A>(
        &self,
        mut answer: oneshot::Receiver<Outcome<A>>,
        runtime: &Handle,
    ) -> Option<Outcome<A>> {
        let _leading = Leading(self);
        poll_fn(|context| {
            self.poll_reads(context, runtime);
            answer.poll_unpin(context).map(Result::ok)
        })
        .await
    }

    fn poll_reads(&self, context: &mut Context<'_>, runtime: &Handle) {
        {
            let mut place = lock(&self.reads);
            if let Some(reads) = place.as_mut()
                && reads.poll_unpin(context).is_ready()
            {
                *place = None;
            }
        }
        if self.is_shared.load(Ordering::SeqCst) {
            self.share(runtime);
        }
    }
}

/// Drops the reads with the first caller, unless another caller has joined: then they have a task of their own.
struct Leading<'a>(&'a Course);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if !self.0.is_shared.load(Ordering::SeqCst) {
            let reads = lock(&self.0.reads).take();
            drop(reads);
        }
    }
}

impl<A> Flight<A> {
    /// Takes those who have asked since the last read was sent. If nobody has, the flight is over, in the same critical section.
    pub(super) fn callers(&mut self) -> Vec<Caller<A>> {
        let mut flying = lock(&self.flying);
        let entry = flying.get_mut(&self.log_id);
        let callers = entry.map(|entry| std::mem::take(&mut entry.callers));
        let callers = callers.unwrap_or_default();
        if callers.is_empty() {
            flying.remove(&self.log_id);
            self.is_over = true;
        }
        callers
    }
}

impl<A> Drop for Flight<A> {
    fn drop(&mut self) {
        if !self.is_over {
            // The only caller has given up, or the runtime is shutting down. Those who wait find that out.
            let entry = lock(&self.flying).remove(&self.log_id);
            drop(entry);
        }
    }
}
