//! Differences between the code and the file.

use crate::event::EventSchema;
use crate::testing::events_lock::format::LockedEvent;
use crate::testing::events_lock::samples::Sample;

/// Something that was stored and that the code does not read.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    /// The enum.
    pub(super) of: &'a str,
    /// The stored name; empty if the problem concerns the whole enum.
    pub(super) name: String,
    /// The stored version.
    pub(super) version: u16,
    /// The event as the file records it.
    pub(super) event: LockedEvent,
    /// The kind of problem.
    pub(super) kind: Kind,
}

/// The kinds of problem.
#[derive(Debug)]
pub(super) enum Kind {
    /// No variant reads this name any more.
    Lost,
    /// The code writes an older version.
    Older(EventSchema),
    /// The code has no upcaster for this version.
    NotUpgraded(EventSchema),
    /// The fields differ.
    Changed(EventSchema, Vec<String>),
    /// The code cannot read this sample, for this reason.
    Unreadable(Sample, String),
    /// The code reads this sample as another value: the event as it is written today, and what is different.
    Altered(Sample, Sample, Vec<String>),
    /// Another codec of the user wrote the events.
    Codec(i16),
    /// The enum has another name.
    Renamed(String),
    /// Logs were created with another kind, which the code no longer knows.
    OfAnother(String, &'static str),
    /// The logs of another enum have the same kind.
    Shared(String, String),
}
