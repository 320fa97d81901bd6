//! Differences between the code and what is remembered.

use crate::event::EventSchema;
use crate::testing::events_lock::format::LockedEvent;

/// Something that was stored and that the code does not read.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    /// The enum.
    pub(super) of: &'a str,
    /// The stored name; of an enum nothing.
    pub(super) name: String,
    /// The stored version.
    pub(super) version: u16,
    /// What is remembered of the event.
    pub(super) event: LockedEvent,
    /// What is wrong.
    pub(super) kind: Kind,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing is called so any more.
    Lost,
    /// The code writes an older version.
    Older(EventSchema),
    /// The code has no upcaster for it.
    NotUpgraded(EventSchema),
    /// The fields are others.
    Changed(EventSchema, Vec<String>),
    /// Another codec of the user's wrote it.
    Codec(i16),
    /// The enum has another name.
    Renamed(String),
    /// Logs were created as another kind, which the code does not know any more.
    OfAnother(String, &'static str),
    /// Another enum's logs are of the same kind.
    Shared(String, String),
}
