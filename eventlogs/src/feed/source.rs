//! Which events a reader of the feed wants.

use crate::event::interest::Interest;
use crate::event::{Event, EventSchema, LogType};

/// The events of one enum that a reader of the feed wants.
///
/// Whether a stored event is wanted depends on its stored name *and* version: an upcaster may turn an old version of any event
/// into one that is wanted, and so may the function that accepts a newer version. So only the current version of an event that is
/// not wanted is left out, and events that this code does not know are never left out.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Source {
    /// The kind of the logs.
    pub log_type: LogType,
    /// What the enum reads.
    pub schema: &'static [EventSchema],
    /// Which of its variants are wanted.
    pub interest: Interest,
}

impl Source {
    /// Makes the source of the wanted events of `E`.
    #[must_use]
    pub const fn new<E: Event>(interest: Interest) -> Self {
        Self {
            log_type: E::LOG_TYPE,
            schema: E::SCHEMA,
            interest,
        }
    }

    /// Returns the entries of the events that are not wanted in their current version.
    pub(crate) fn unwanted(&self) -> impl Iterator<Item = &'static EventSchema> + use<> {
        self.interest.unwanted(self.schema)
    }
}
