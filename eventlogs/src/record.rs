//! An event as it stands in a log.

use crate::event::Payload;
use crate::ids::{EventId, LogId};
use crate::{Event, LogState};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

mod sealed {
    /// Keeps [`EventRecord`](super::EventRecord) open for new methods: nobody else implements it.
    pub trait Sealed {}
    impl<E> Sealed for super::RecordedEvent<E> {}
    impl<E> Sealed for super::BorrowedRecord<'_, E> {}
}

/// An event together with where and when it was recorded: what an aggregate applies.
///
/// The trait is sealed, so that it may grow. Tests make a [`RecordedEvent`].
pub trait EventRecord<E>: sealed::Sealed {
    /// The event itself.
    fn event(&self) -> &E;

    /// The log it stands in.
    fn log_id(&self) -> LogId;

    /// Its zero-based place in the log; the only thing that orders events.
    fn index(&self) -> u64;

    /// Its identity, made by the client that wrote it.
    fn event_id(&self) -> EventId;

    /// When the store recorded it, by the store's clock, in microseconds. It never falls along a log, and it orders
    /// nothing: use [`index`](EventRecord::index) for that.
    fn recorded_at(&self) -> DateTime<Utc>;

    /// When it happened, if the caller said so on appending.
    fn occurred_at(&self) -> Option<DateTime<Utc>>;

    /// The same place and times with another event: the one that this one holds, on its way to the handlers of its own
    /// kind.
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
        }
    }
}

/// The [`EventRecord`] that [`with_event`](EventRecord::with_event) returns: of an event that stands somewhere else.
#[derive(Debug, PartialEq, Eq)]
pub struct BorrowedRecord<'a, E> {
    /// The log it stands in.
    log_id: LogId,
    /// Its zero-based place in the log.
    index: u64,
    /// Its identity.
    event_id: EventId,
    /// The event itself.
    event: &'a E,
    /// The store's time of recording.
    recorded_at: DateTime<Utc>,
    /// The caller's time of occurrence.
    occurred_at: Option<DateTime<Utc>>,
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
}

/// The [`EventRecord`] that stores return.
///
/// Where the event implements [`Event`], a record serialises for an API without the event implementing serde's traits:
/// the fields `log_id`, `event_index`, `event_id`, `event_type`, `event_version`, `event` (the payload as it is stored),
/// `recorded_at` and, if given, `occurred_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent<E> {
    /// The log it stands in.
    log_id: LogId,
    /// Its zero-based place in the log.
    index: u64,
    /// Its identity.
    event_id: EventId,
    /// The event itself.
    event: E,
    /// The store's time of recording.
    recorded_at: DateTime<Utc>,
    /// The caller's time of occurrence.
    occurred_at: Option<DateTime<Utc>>,
}

impl<E> RecordedEvent<E> {
    /// A record, for stores and for tests of a hand-written `apply`.
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
        }
    }

    /// The same record with the time at which the event happened.
    #[must_use]
    pub const fn with_occurred_at(mut self, occurred_at: Option<DateTime<Utc>>) -> Self {
        self.occurred_at = occurred_at;
        self
    }

    /// Takes the event out.
    #[must_use]
    pub fn into_event(self) -> E {
        self.event
    }

    /// The position at this record, to append on top of it.
    #[must_use]
    pub const fn state(&self) -> LogState {
        LogState::new(self.log_id, self.index, self.event_id)
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
}

impl<E: Event> Serialize for RecordedEvent<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event_type = self.event.event_type();
        let mut map =
            serializer.serialize_map(Some(7 + usize::from(self.occurred_at.is_some())))?;
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
        map.end()
    }
}
