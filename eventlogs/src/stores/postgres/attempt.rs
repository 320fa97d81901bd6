//! The current attempt: which connections it may use, and how far it has come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Stands for the generation while there is no connection.
const NONE: u64 = u64::MAX;

/// The current attempt of an operation. The attempt itself keeps these values up to date, because a timeout may end it at any
/// await; the loop that makes the attempts reads them afterwards.
pub(super) struct Attempt {
    /// How long a connection may be silent, in nanoseconds; doubled after each attempt that was silent.
    silence: AtomicU64,
    /// Whether a new connection may lead to a server that the tables do not belong to.
    to_any_server: bool,
    /// Whether only a new connection may be used, not an idle one.
    wants_new: AtomicBool,
    /// Whether the attempt waits for the server. If not, a silence says nothing about the server.
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

    /// Changes this attempt into one of an operation that checks by itself which server the tables belong to.
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

    /// Returns how long a connection may be silent in the current attempt.
    pub(super) fn silence(&self) -> Duration {
        Duration::from_nanos(self.silence.load(Ordering::Relaxed))
    }

    /// Doubles the silence that the next attempt allows.
    pub(super) fn double_silence(&self) {
        let longer = self.silence.load(Ordering::Relaxed).saturating_mul(2);
        self.silence.store(longer, Ordering::Relaxed);
    }

    /// Returns `true` if a new connection must lead to the server that the tables belong to.
    pub(super) const fn wants_home(&self) -> bool {
        !self.to_any_server
    }

    /// Returns `true` if only a new connection may be used.
    pub(super) fn wants_new(&self) -> bool {
        self.wants_new.load(Ordering::Relaxed)
    }

    /// Allows only new connections from here on.
    pub(super) fn want_new(&self) {
        self.wants_new.store(true, Ordering::Relaxed);
    }

    /// Notes that the attempt waits for the server from here on.
    pub(super) fn server_begins(&self) {
        self.is_with_server.store(true, Ordering::Relaxed);
    }

    /// Notes that the attempt waits for the server from here on, over a connection of this generation.
    pub(super) fn server_begins_on(&self, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
        self.server_begins();
    }

    /// Returns `true` if the attempt waits for the server.
    pub(super) fn is_with_server(&self) -> bool {
        self.is_with_server.load(Ordering::Relaxed)
    }

    /// Returns the generation of the connection in use, if there is one.
    pub(super) fn generation(&self) -> Option<u64> {
        let generation = self.generation.load(Ordering::Relaxed);
        (generation != NONE).then_some(generation)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
