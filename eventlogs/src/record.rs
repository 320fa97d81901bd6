//! Recorded events: events with their position, times and metadata.

use crate::event::Event;
use crate::event::Payload;
use crate::ids::{EventId, LogId};
use crate::log_state::{LogPosition, LogState};
use crate::metadata::Metadata;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::sync::Arc;

pub(crate) mod sealed {
    use crate::metadata::Metadata;
    use std::sync::Arc;

    /// Keeps [`EventRecord`](super::EventRecord) open for new methods: no other crate can implement it.
    pub trait Sealed {
        /// The metadata, to be shared with a record of another event; `None` if it is empty.
        #[doc(hidden)]
        fn shared_metadata(&self) -> Option<Arc<Metadata>>;
    }

    impl<E> Sealed for super::RecordedEvent<E> {
        fn shared_metadata(&self) -> Option<Arc<Metadata>> {
            self.metadata.clone()
        }
    }

    impl<E> Sealed for super::BareRecord<'_, E> {
        fn shared_metadata(&self) -> Option<Arc<Metadata>> {
            None
        }
    }

    impl<E> Sealed for super::BorrowedRecord<'_, E> {
        fn shared_metadata(&self) -> Option<Arc<Metadata>> {
            self.metadata.clone()
        }
    }
}

/// The metadata of a record without metadata.
static NO_METADATA: Metadata = Metadata::new();

/// An event with its position, its times and its metadata. Aggregates apply it.
///
/// The trait is sealed, so that later releases can add methods. Tests make a [`RecordedEvent`].
pub trait EventRecord<E>: sealed::Sealed {
    /// The event itself.
    fn event(&self) -> &E;

    /// The log of the event.
    fn log_id(&self) -> LogId;

    /// The index of the event in its log, from 0. Only the index orders events.
    fn index(&self) -> u64;

    /// The id of the event, made by the client that wrote it.
    fn event_id(&self) -> EventId;

    /// The time at which the store recorded the event, by the store's clock, in microseconds.
    ///
    /// It never decreases along a log. Do not order events by it: use [`index`](EventRecord::index).
    fn recorded_at(&self) -> DateTime<Utc>;

    /// The time at which the event happened, if the append gave one.
    fn occurred_at(&self) -> Option<DateTime<Utc>>;

    /// The metadata stored with the event; empty if the append gave none.
    ///
    /// Metadata is for people and for tools. A test or an import without metadata cannot reproduce a state that depends on it:
    /// data that a decision needs belongs in the event.
    fn metadata(&self) -> &Metadata;

    /// Makes a record of another event with the same position, times and metadata.
    ///
    /// It passes an event that this event holds to the handlers of its own enum.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json"))] {
    /// use eventlogs::{Event, EventHandler, EventRecord, event_handler};
    ///
    /// #[derive(Event)]
    /// pub enum ShippingEvent {
    ///     #[event(name = "shipping.dispatched")]
    ///     Dispatched { parcels: u32 },
    /// }
    ///
    /// #[derive(Default)]
    /// pub struct Shipping { parcels: u32, last: u64 }
    ///
    /// #[event_handler(ShippingEvent)]
    /// impl Shipping {
    ///     #[on(Dispatched)]
    ///     fn dispatch(&mut self, parcels: u32, #[record] record: &impl EventRecord<ShippingEvent>) {
    ///         self.parcels += parcels;
    ///         self.last = record.index();
    ///     }
    /// }
    ///
    /// #[derive(Event)]
    /// pub enum OrderEvent {
    ///     #[event(name = "order.placed")]
    ///     Placed,
    ///     #[event(flatten)]
    ///     Shipping(ShippingEvent),
    /// }
    ///
    /// #[derive(Default)]
    /// pub struct Order { shipping: Shipping }
    ///
    /// #[event_handler(OrderEvent, ignore(Placed))]
    /// impl Order {
    ///     #[on(Shipping(event))]
    ///     fn ship(&mut self, event: &ShippingEvent, #[record] record: &impl EventRecord<OrderEvent>) {
    ///         self.shipping.handle(&record.with_event(event));
    ///     }
    /// }
    ///
    /// # use eventlogs::{RecordedEvent, ids::{EventId, LogId}};
    /// # let now = "2026-01-31T12:00:00Z".parse().expect("a valid time");
    /// # let event = OrderEvent::Shipping(ShippingEvent::Dispatched { parcels: 3 });
    /// # let mut order = Order::default();
    /// # order.handle(&RecordedEvent::new(LogId::new(), 7, EventId::new(), event, now));
    /// # assert_eq!((order.shipping.parcels, order.shipping.last), (3, 7));
    /// # }
    /// ```
    fn with_event<'a, I>(&self, event: &'a I) -> BorrowedRecord<'a, I>
    where
        Self: Sized,
    {
        BorrowedRecord {
            log_id: self.log_id(),
            index: self.index(),
            event_id: self.event_id(),
            event,
            recorded_at: self.recorded_at(),
            occurred_at: self.occurred_at(),
            metadata: self.shared_metadata(),
        }
    }
}

/// The [`EventRecord`] that [`with_event`](EventRecord::with_event) returns. It borrows its event.
#[derive(Debug, PartialEq, Eq)]
pub struct BorrowedRecord<'a, E> {
    /// The log of the event.
    log_id: LogId,
    /// The index of the event in its log.
    index: u64,
    /// The id of the event.
    event_id: EventId,
    /// The event itself.
    event: &'a E,
    /// The store's time of recording.
    recorded_at: DateTime<Utc>,
    /// The caller's time of occurrence.
    occurred_at: Option<DateTime<Utc>>,
    /// The metadata, shared with the record that this one was made from.
    metadata: Option<Arc<Metadata>>,
}

impl<E> EventRecord<E> for BorrowedRecord<'_, E> {
    fn event(&self) -> &E {
        self.event
    }

    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn index(&self) -> u64 {
        self.index
    }

    fn event_id(&self) -> EventId {
        self.event_id
    }

    fn recorded_at(&self) -> DateTime<Utc> {
        self.recorded_at
    }

    fn occurred_at(&self) -> Option<DateTime<Utc>> {
        self.occurred_at
    }

    fn metadata(&self) -> &Metadata {
        self.metadata.as_deref().unwrap_or(&NO_METADATA)
    }
}

/// The [`EventRecord`] for handlers that do not look at records: it has the event, and no id, times or metadata.
#[derive(Debug)]
pub(crate) struct BareRecord<'a, E> {
    /// The log of the event.
    pub(crate) log_id: LogId,
    /// The index of the event in its log.
    pub(crate) index: u64,
    /// The event itself.
    pub(crate) event: &'a E,
}

impl<E> EventRecord<E> for BareRecord<'_, E> {
    fn event(&self) -> &E {
        self.event
    }

    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn index(&self) -> u64 {
        self.index
    }

    fn event_id(&self) -> EventId {
        EventId::from_uuid(uuid::Uuid::nil())
    }

    fn recorded_at(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn occurred_at(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn metadata(&self) -> &Metadata {
        &NO_METADATA
    }
}

/// The [`EventRecord`] that stores return.
///
/// If the event implements [`Event`], a record serialises for an API, without serde's traits on the event. It has the fields
/// `log_id`, `event_index`, `event_id`, `event_type`, `event_version`, `event` (the payload as it is stored), `recorded_at`
/// and, if given, `occurred_at` and `metadata`. The serialiser in use writes the payload: one for JSON writes null for a NaN
/// that MessagePack has kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent<E> {
    /// The log of the event.
    log_id: LogId,
    /// The index of the event in its log.
    index: u64,
    /// The id of the event.
    event_id: EventId,
    /// The event itself.
    event: E,
    /// The store's time of recording.
    recorded_at: DateTime<Utc>,
    /// The caller's time of occurrence.
    occurred_at: Option<DateTime<Utc>>,
    /// The metadata; `None` if it is empty, so that equal records compare as equal. The events of one append share it.
    metadata: Option<Arc<Metadata>>,
}

impl<E> RecordedEvent<E> {
    /// Makes a record: for stores, and for tests of a hand-written `apply`.
    ///
    /// ```
    /// use eventlogs::{EventRecord, RecordedEvent, ids::{EventId, LogId}};
    ///
    /// let now = "2026-01-31T12:00:00Z".parse().expect("a valid time");
    /// let record = RecordedEvent::new(LogId::new(), 0, EventId::new(), "opened", now);
    /// assert_eq!(record.event(), &"opened");
    /// ```
    #[must_use]
    pub const fn new(
        log_id: LogId,
        index: u64,
        event_id: EventId,
        event: E,
        recorded_at: DateTime<Utc>,
    ) -> Self {
        Self {
            log_id,
            index,
            event_id,
            event,
            recorded_at,
            occurred_at: None,
            metadata: None,
        }
    }

    /// Sets the time at which the event happened.
    #[must_use]
    pub const fn with_occurred_at(mut self, occurred_at: Option<DateTime<Utc>>) -> Self {
        self.occurred_at = occurred_at;
        self
    }

    /// Sets the metadata, in place of the former metadata.
    ///
    /// Several records can share it in an [`Arc`].
    ///
    /// ```
    /// use eventlogs::{EventRecord, Metadata, RecordedEvent, ids::{EventId, LogId}};
    ///
    /// let now = "2026-01-31T12:00:00Z".parse().expect("a valid time");
    /// let record = RecordedEvent::new(LogId::new(), 0, EventId::new(), "opened", now);
    /// assert!(record.metadata().is_empty());
    ///
    /// let record = record.with_metadata(Metadata::new().with("user", "ada"));
    /// assert_eq!(record.metadata().get("user"), Some(&"ada".into()));
    /// ```
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<Arc<Metadata>>) -> Self {
        self.metadata = Some(metadata.into()).filter(|metadata| !metadata.is_empty());
        self
    }

    /// Sets the time of recording.
    #[must_use]
    pub(crate) fn with_recorded_at(mut self, recorded_at: DateTime<Utc>) -> Self {
        self.recorded_at = recorded_at;
        self
    }

    /// Takes the event out.
    #[must_use]
    pub fn into_event(self) -> E {
        self.event
    }

    /// The state of a log that ends with this record, to append after it.
    #[must_use]
    pub const fn state(&self) -> LogState<E> {
        LogState::from_position(self.position())
    }

    /// The position of this record.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        LogPosition::new(self.log_id, self.index, self.event_id)
    }
}

impl<E> EventRecord<E> for RecordedEvent<E> {
    fn event(&self) -> &E {
        &self.event
    }

    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn index(&self) -> u64 {
        self.index
    }

    fn event_id(&self) -> EventId {
        self.event_id
    }

    fn recorded_at(&self) -> DateTime<Utc> {
        self.recorded_at
    }

    fn occurred_at(&self) -> Option<DateTime<Utc>> {
        self.occurred_at
    }

    fn metadata(&self) -> &Metadata {
        self.metadata.as_deref().unwrap_or(&NO_METADATA)
    }
}

impl<E: Event> Serialize for RecordedEvent<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event_type = self.event.event_type();
        let given = usize::from(self.occurred_at.is_some()) + usize::from(self.metadata.is_some());
        let mut map = serializer.serialize_map(Some(7 + given))?;
        map.serialize_entry("log_id", &self.log_id)?;
        map.serialize_entry("event_index", &self.index)?;
        map.serialize_entry("event_id", &self.event_id)?;
        map.serialize_entry("event_type", event_type.name)?;
        map.serialize_entry("event_version", &event_type.version)?;
        map.serialize_entry("event", &Payload(&self.event))?;
        map.serialize_entry("recorded_at", &self.recorded_at)?;
        if let Some(occurred_at) = &self.occurred_at {
            map.serialize_entry("occurred_at", occurred_at)?;
        }
        if let Some(metadata) = self.metadata.as_deref() {
            map.serialize_entry("metadata", metadata)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
