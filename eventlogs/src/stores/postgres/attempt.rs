//! The attempt that is under way: which connections it may use, and how far it has come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The generation of no connection.
const NONE: u64 = u64::MAX;

/// The attempt of an operation that is under way. The attempt itself keeps it up to date, because the clock may end the
/// attempt at any await; the loop that makes the attempts reads it afterwards.
pub(super) struct Attempt {
    /// How long a connection may be silent, in nanoseconds; longer after each attempt that was silent.
    silence: AtomicU64,
    /// Whether a new connection may lead to a server that the tables do not belong to.
    to_any_server: bool,
    /// Whether a connection that has rested must not be used.
    wants_new: AtomicBool,
    /// Whether the attempt waits for the server; otherwise a silence says nothing about the server.
    is_with_server: AtomicBool,
    /// The generation of the connection in use; [`NONE`] without a connection.
    generation: AtomicU64,
}

impl Attempt {
    pub(super) fn new(silence: Duration) -> Self {
        Self {
            silence: AtomicU64::new(nanos(silence)),
            to_any_server: false,
            wants_new: AtomicBool::new(false),
            is_with_server: AtomicBool::new(false),
            generation: AtomicU64::new(NONE),
        }
    }

    /// The same for an operation that finds out by itself which server the tables belong to.
    pub(super) fn for_any_server(self) -> Self {
        Self {
            to_any_server: true,
            ..self
        }
    }

    /// Begins the next attempt, and returns how long a connection may be silent in it.
    pub(super) fn begin(&self) -> Duration {
        self.is_with_server.store(false, Ordering::Relaxed);
        self.generation.store(NONE, Ordering::Relaxed);
        self.silence()
    }

    /// How long a connection may be silent at present.
    pub(super) fn silence(&self) -> Duration {
        Duration::from_nanos(self.silence.load(Ordering::Relaxed))
    }

    /// Lets the next attempt wait twice as long.
    pub(super) fn double_silence(&self) {
        let longer = self.silence.load(Ordering::Relaxed).saturating_mul(2);
        self.silence.store(longer, Ordering::Relaxed);
    }

    /// Whether a new connection must lead to the server that the tables belong to.
    pub(super) const fn wants_home(&self) -> bool {
        !self.to_any_server
    }

    /// Whether only a new connection will do.
    pub(super) fn wants_new(&self) -> bool {
        self.wants_new.load(Ordering::Relaxed)
    }

    /// Lets only new connections do from here on.
    pub(super) fn want_new(&self) {
        self.wants_new.store(true, Ordering::Relaxed);
    }

    /// From here on the attempt waits for the server.
    pub(super) fn server_begins(&self) {
        self.is_with_server.store(true, Ordering::Relaxed);
    }

    /// From here on the attempt waits for the server, over a connection of this generation.
    pub(super) fn server_begins_on(&self, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
        self.server_begins();
    }

    /// Whether the attempt waits for the server.
    pub(super) fn is_with_server(&self) -> bool {
        self.is_with_server.load(Ordering::Relaxed)
    }

    /// The generation of the connection in use, if there is one.
    pub(super) fn generation(&self) -> Option<u64> {
        let generation = self.generation.load(Ordering::Relaxed);
        (generation != NONE).then_some(generation)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
