//! The metrics of managers, through the facade of the `metrics` crate. Without the feature `metrics` nothing here does anything.
//! The page `guide::operation` lists the names.
#![cfg_attr(
    not(feature = "metrics"),
    allow(
        clippy::unused_self,
        reason = "without the feature nothing is recorded"
    )
)]

#[cfg(feature = "metrics")]
mod kept;
pub(crate) mod labels;
#[cfg(feature = "metrics")]
mod results;

use crate::manager::error::{DecideError, LogManagerError};
use labels::{CacheWrite, Lookup, Operation};
#[cfg(not(feature = "metrics"))]
use std::marker::PhantomData;
#[cfg(feature = "metrics")]
use std::sync::OnceLock;

/// The metrics of one manager, with its labels.
pub(crate) struct Measures {
    #[cfg(feature = "metrics")]
    kept: kept::Kept,
    /// Those of decisions on logs of several aggregates.
    #[cfg(feature = "metrics")]
    several: OnceLock<Box<Measures>>,
}

impl Measures {
    /// Prepares the metrics of a manager.
    pub(crate) fn new(aggregate: &'static str, store: &'static str) -> Self {
        #[cfg(not(feature = "metrics"))]
        let _ = (aggregate, store);
        Self {
            #[cfg(feature = "metrics")]
            kept: kept::Kept::new(aggregate, store),
            #[cfg(feature = "metrics")]
            several: OnceLock::new(),
        }
    }

    /// Returns the metrics of a decision on logs of these aggregates: those of this manager if all are its own.
    pub(crate) fn of_all(&self, aggregates: &[&'static str]) -> &Self {
        #[cfg(feature = "metrics")]
        if aggregates.iter().any(|name| *name != self.kept.aggregate) {
            let several = || Box::new(Self::new(kept::SEVERAL, self.kept.store));
            return self.several.get_or_init(several);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = aggregates;
        self
    }

    /// Begins to measure a call. Dropped before its end, it counts as a call whose future was dropped.
    pub(crate) fn begin(&self, operation: Operation) -> MeasuredCall<'_> {
        #[cfg(not(feature = "metrics"))]
        let _ = operation;
        MeasuredCall {
            #[cfg(feature = "metrics")]
            call: self.kept.begin(operation),
            #[cfg(not(feature = "metrics"))]
            call: PhantomData,
        }
    }

    /// Counts an error of a write if it is a conflict or a replay, and returns it.
    pub(crate) fn counted(&self, error: LogManagerError) -> LogManagerError {
        match &error {
            LogManagerError::IdempotentReplay { .. } => self.replayed(),
            LogManagerError::ConcurrentAppend { .. }
            | LogManagerError::UnexpectedIndex { .. }
            | LogManagerError::LogAlreadyExists { .. } => {
                #[cfg(feature = "metrics")]
                self.kept.conflicted();
            }
            _ => {}
        }
        error
    }

    /// Counts a write that had happened before.
    pub(crate) fn replayed(&self) {
        #[cfg(feature = "metrics")]
        self.kept.replayed();
    }

    /// Records the number of attempts of a decision that was stored or abandoned.
    pub(crate) fn decided(&self, attempts: u32) {
        #[cfg(feature = "metrics")]
        self.kept.decided(attempts);
        #[cfg(not(feature = "metrics"))]
        let _ = attempts;
    }

    /// Counts a lookup in the cache.
    pub(crate) fn looked_up(&self, lookup: Lookup) {
        #[cfg(feature = "metrics")]
        self.kept.looked_up(lookup);
        #[cfg(not(feature = "metrics"))]
        let _ = lookup;
    }

    /// Records the number of events that a reduction applied.
    pub(crate) fn reduced(&self, events: u64) {
        #[cfg(feature = "metrics")]
        self.kept.reduced(events);
        #[cfg(not(feature = "metrics"))]
        let _ = events;
    }

    /// Counts an aggregate that was written to the cache, or was not.
    pub(crate) fn cached(&self, write: CacheWrite) {
        #[cfg(feature = "metrics")]
        self.kept.cached(write);
        #[cfg(not(feature = "metrics"))]
        let _ = write;
    }

    /// Counts an aggregate that was not cached because too many others wait.
    pub(crate) fn dropped(&self) {
        #[cfg(feature = "metrics")]
        self.kept.dropped();
    }
}

/// A call that is being measured.
#[must_use = "a call that is dropped counts as one whose future was dropped"]
pub(crate) struct MeasuredCall<'a> {
    #[cfg(feature = "metrics")]
    call: kept::Call<'a>,
    #[cfg(not(feature = "metrics"))]
    call: PhantomData<&'a ()>,
}

impl MeasuredCall<'_> {
    /// Ends a call that cannot fail.
    pub(crate) fn done(self) {
        #[cfg(feature = "metrics")]
        self.call.end(results::OK);
        #[cfg(not(feature = "metrics"))]
        let _ = self.call;
    }

    /// Ends a call with this answer, and returns the answer.
    pub(crate) fn end<T>(self, answer: Result<T, LogManagerError>) -> Result<T, LogManagerError> {
        #[cfg(feature = "metrics")]
        self.call.end(results::of(&answer));
        #[cfg(not(feature = "metrics"))]
        let _ = self.call;
        answer
    }

    /// Ends a decision with this answer, and returns the answer.
    pub(crate) fn end_decision<T, R>(
        self,
        answer: Result<T, DecideError<R>>,
        is_replay: impl FnOnce(&T) -> bool,
    ) -> Result<T, DecideError<R>> {
        #[cfg(feature = "metrics")]
        self.call.end(results::of_decision(&answer, is_replay));
        #[cfg(not(feature = "metrics"))]
        let _ = (self.call, is_replay);
        answer
    }

    /// Ends a call about several logs with these answers, and returns them.
    pub(crate) fn end_all<T>(
        self,
        answers: Vec<Result<T, LogManagerError>>,
    ) -> Vec<Result<T, LogManagerError>> {
        #[cfg(feature = "metrics")]
        self.call.end(results::of_all(&answers));
        #[cfg(not(feature = "metrics"))]
        let _ = self.call;
        answers
    }
}
