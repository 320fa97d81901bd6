//! Full reductions that callers share: many callers who ask for one log at the same time cause one full read.
//!
//! A caller must get a state that is no older than its call. So a read answers those who asked before it was sent. All who ask
//! later are answered by the next read together, which reads only the events after the first one.

use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::manager::error::LogManagerError;
use crate::sync::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// The callers who wait for full reductions, by their logs.
pub(super) struct Flights<A> {
    waiting: Arc<Mutex<Waiting<A>>>,
}

/// The callers who wait for the next read of each log. A log is here as long as a task reads it.
type Waiting<A> = HashMap<LogId, Vec<Caller<A>>>;

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

/// The reads of one log, for as long as a task makes them.
pub(super) struct Flight<A> {
    waiting: Arc<Mutex<Waiting<A>>>,
    /// The log.
    pub(super) log_id: LogId,
    /// `true` if the log was taken off the list.
    is_over: bool,
}

impl<A> Default for Flights<A> {
    fn default() -> Self {
        Self {
            waiting: Arc::default(),
        }
    }
}

impl<A> Flights<A> {
    /// Waits for the next read of a log. Returns a flight if no task reads the log yet; the caller then has to start one.
    pub(super) fn wait(
        &self,
        log_id: LogId,
    ) -> (oneshot::Receiver<Outcome<A>>, Option<Flight<A>>) {
        let (caller, answer) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        if let Some(callers) = waiting.get_mut(&log_id) {
            callers.push(caller);
            return (answer, None);
        }
        waiting.insert(log_id, vec![caller]);
        drop(waiting);
        let flight = Flight {
            waiting: Arc::clone(&self.waiting),
            log_id,
            is_over: false,
        };
        (answer, Some(flight))
    }
}

impl<A> Flight<A> {
    /// Takes those who have asked since the last read was sent. If nobody has, the flight is over, in the same critical section.
    pub(super) fn callers(&mut self) -> Vec<Caller<A>> {
        let mut waiting = lock(&self.waiting);
        let callers = waiting.get_mut(&self.log_id).map(std::mem::take);
        let callers = callers.unwrap_or_default();
        if callers.is_empty() {
            waiting.remove(&self.log_id);
            self.is_over = true;
        }
        callers
    }
}

impl<A> Drop for Flight<A> {
    fn drop(&mut self) {
        if !self.is_over {
            // The runtime is shutting down. Those who wait find that out.
            lock(&self.waiting).remove(&self.log_id);
        }
    }
}
