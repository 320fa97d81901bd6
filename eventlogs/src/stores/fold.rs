//! Folding the events of a log while a store reads them.

use crate::event::needs::EventNeeds;
use crate::ids::{EventId, LogId};
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::ReadError;
use crate::stores::page::ReadStart;
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;

/// A fold of the events of one log. A store drives it: see [`EventStore::fold`](super::EventStore::fold).
///
/// The store gives each event to the fold as soon as it has decoded it. After a lost connection it goes on where the fold has
/// come to, so no event is given twice.
pub trait EventFold<E>: Send {
    /// The log.
    fn log_id(&self) -> LogId;

    /// Where the fold goes on: at the first event of the log, or after the last event that was given.
    fn start(&self) -> ReadStart;

    /// What of the events the fold looks at. The rest need not be fetched.
    fn needs(&self) -> EventNeeds {
        EventNeeds::EVERYTHING
    }

    /// The greatest number of events that a store may hold in memory for this fold, if it has to hold some.
    fn page_size(&self) -> usize {
        500
    }

    /// About how many events there will be, if the fold knows: a store may read few events in another way than many.
    fn expected_events(&self) -> Option<u64> {
        None
    }

    /// The fold without the records of its events, if it [does not need](EventFold::needs) them. A store may use it instead.
    fn bare(&mut self) -> Option<&mut dyn BareFold<E>> {
        None
    }

    /// Takes the next event. If the fold [does not need](EventFold::needs) its metadata and the time of its occurrence, they
    /// may be missing.
    ///
    /// With [`Break`](ControlFlow::Break), the store stops.
    fn take(&mut self, record: &RecordedEvent<E>) -> ControlFlow<()>;

    /// Takes note of the next event, which the fold does not need.
    ///
    /// With [`Break`](ControlFlow::Break), the store stops.
    fn pass(&mut self, event: PassedEvent) -> ControlFlow<()>;
}

/// A fold that gets only the index of each event, and the whole position of the last one. For a store that is less to fetch.
///
/// Until the position of the last event is known, the fold cannot be continued by another read. So a store that loses its
/// connection begins anew.
pub trait BareFold<E>: Send {
    /// The log.
    fn log_id(&self) -> LogId;

    /// Forgets the events that were given without their positions, and returns where the fold starts.
    fn restart(&mut self) -> ReadStart;

    /// Takes the next event. With [`Break`](ControlFlow::Break), the store stops.
    fn take(&mut self, index: u64, event: &E) -> ControlFlow<()>;

    /// Takes note of the next event, which the fold does not need. With [`Break`](ControlFlow::Break), the store stops.
    fn pass(&mut self, index: u64) -> ControlFlow<()>;

    /// Ends the fold with the position of the last event that was given. `created_at` is the time at which the first event was
    /// recorded that the store has read.
    fn end(&mut self, created_at: DateTime<Utc>, last: PassedEvent);
}

/// An event that was not decoded, because a [fold](EventFold) does not need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassedEvent {
    /// The log.
    pub log_id: LogId,
    /// The index of the event in its log.
    pub index: u64,
    /// The id of the event.
    pub event_id: EventId,
    /// The time at which the store recorded the event.
    pub recorded_at: DateTime<Utc>,
}

impl PassedEvent {
    /// Makes the note of an event that was not decoded.
    #[must_use]
    pub const fn new(
        log_id: LogId,
        index: u64,
        event_id: EventId,
        recorded_at: DateTime<Utc>,
    ) -> Self {
        Self {
            log_id,
            index,
            event_id,
            recorded_at,
        }
    }

    /// Makes the note of an event that was decoded.
    #[must_use]
    pub fn of<E>(record: &impl EventRecord<E>) -> Self {
        Self::new(
            record.log_id(),
            record.index(),
            record.event_id(),
            record.recorded_at(),
        )
    }
}

/// The result of [`EventStore::newest`](super::EventStore::newest): `None` if the store does not support it.
pub type Newest<E> = Option<Box<dyn NewestEvents<E>>>;

/// The newest events of a log, not decoded yet: see [`EventStore::newest`](super::EventStore::newest).
pub trait NewestEvents<E>: Send {
    /// Gives the events after the start of a fold to it, and returns whether they reached the end of the log.
    ///
    /// It gives nothing if the fold starts before the first of these events, and returns `false`.
    ///
    /// # Errors
    /// Those of [`EventStore::fold`](super::EventStore::fold).
    fn fold(self: Box<Self>, fold: &mut dyn EventFold<E>) -> Result<bool, ReadError>;
}
