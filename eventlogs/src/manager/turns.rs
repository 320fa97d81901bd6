//! The logs that are being decided on, and whose turn it is.
//!
//! Decisions of one process on one log take turns: a turn is to decide and to hand the events over to the store, without
//! waiting in between, so whoever has it is running. The next one decides on the state that these events lead to, before they
//! are stored ([`Link`]). A store that takes part in this writes them in that order, and together where it can; if the first
//! cannot be written, none that builds on it is.
//!
//! Whoever waits for a turn waits without a thread, in the order of arrival: a closure that takes long holds up its own log
//! only.

use crate::aggregate::Aggregate;
use crate::ids::LogId;
use crate::manager::link::Link;
use crate::sync::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The logs that somebody is deciding on.
pub(super) struct Turns<A: Aggregate> {
    /// Locked to look a log up, never while somebody decides.
    logs: Mutex<HashMap<LogId, Arc<Turn<A>>>>,
}

/// The turns on one log.
pub(super) struct Turn<A: Aggregate> {
    /// Held by whoever decides. It is fair.
    taken: tokio::sync::Mutex<()>,
    /// The write that was handed over last. Locked for a look or a change.
    newest: Mutex<Option<Arc<Link<A>>>>,
    /// How many writes were about to be handed over so far.
    handed_over: AtomicU64,
}

/// A place among those who decide on a log. The log is forgotten with the last of them.
pub(super) struct Seat<'a, A: Aggregate> {
    turns: &'a Turns<A>,
    log_id: LogId,
    turn: Arc<Turn<A>>,
    /// How many writes had been handed over when the seat was taken.
    taken_after: u64,
}

impl<A: Aggregate> Default for Turns<A> {
    fn default() -> Self {
        Self {
            logs: Mutex::new(HashMap::new()),
        }
    }
}

impl<A: Aggregate> Turns<A> {
    /// A place among those who decide on a log.
    pub(super) fn seat(&self, log_id: LogId) -> Seat<'_, A> {
        let turn = Arc::clone(lock(&self.logs).entry(log_id).or_insert_with(|| {
            Arc::new(Turn {
                taken: tokio::sync::Mutex::new(()),
                newest: Mutex::new(None),
                handed_over: AtomicU64::new(0),
            })
        }));
        let taken_after = turn.handed_over.load(Ordering::SeqCst);
        Seat {
            turns: self,
            log_id,
            turn,
            taken_after,
        }
    }

    /// Lets nobody who comes from now on decide on what those have in mind who are there. They end by themselves.
    pub(super) fn forget(&self, log_id: LogId) {
        lock(&self.logs).remove(&log_id);
    }
}

impl<A: Aggregate> Seat<'_, A> {
    /// Waits for the turn: nobody else decides on the log while the guard is held. It must not be held across a wait.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.taken.lock().await
    }

    /// The write that was handed over last, if it can be built on.
    pub(super) fn newest(&self) -> Option<Arc<Link<A>>> {
        let newest = lock(&self.turn.newest);
        newest.as_ref().filter(|link| link.is_sound()).cloned()
    }

    /// The number of the next write. To be asked for before the write is handed over.
    pub(super) fn next_number(&self) -> u64 {
        self.turn.handed_over.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether a write was handed over after this seat was taken. Then it was committed after that, too, if it was.
    pub(super) fn saw_handed_over(&self, link: &Link<A>) -> bool {
        link.number() > self.taken_after
    }

    /// Lets the next one decide on this link.
    pub(super) fn hand_over(&self, link: &Arc<Link<A>>) {
        let link = Arc::clone(link);
        let former = lock(&self.turn.newest).replace(link);
        // Outside the lock: it may be the last handle on many links.
        drop(former);
    }

    /// Lets nobody decide on this link any more, because the log has gone another way.
    pub(super) fn forget(&self, link: &Arc<Link<A>>) {
        let former = lock(&self.turn.newest).take_if(|newest| Arc::ptr_eq(newest, link));
        drop(former);
    }
}

impl<A: Aggregate> Drop for Seat<'_, A> {
    fn drop(&mut self) {
        let mut logs = lock(&self.turns.logs);
        // The map's and this one. New ones are made under the lock that is held here. The log may have been forgotten, and
        // others have new turns.
        let own = logs.get(&self.log_id);
        if own.is_some_and(|own| Arc::ptr_eq(own, &self.turn)) && Arc::strong_count(&self.turn) <= 2
        {
            logs.remove(&self.log_id);
        }
    }
}
