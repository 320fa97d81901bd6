//! A feed of decoded events.

use crate::cursor::Cursor;
use crate::event::Event;
use crate::event::interest::Interest;
use crate::feed::contract::{EventFeed, Feed};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::record::FeedRecord;
use crate::feed::source::Source;
use crate::feed::wanted::Wanted;
use std::fmt;
use std::marker::PhantomData;

/// The events that a typed feed reads: an event enum, or a tuple of two to six of them.
///
/// The records of one enum are [`FeedRecord`]s. Those of a tuple are the variants of an enum of this crate, such as [`OneOf2`].
pub trait FeedEvents: Send + Sync + 'static {
    /// The record of an event.
    type Record: Send;

    /// What is read.
    const SOURCES: &'static [Source];

    /// Decodes an event. Returns `None` if it belongs to another enum.
    ///
    /// # Errors
    /// [`Decode`](FeedError::Decode) if this code cannot read the event.
    fn decode(event: &FeedEvent) -> Result<Option<Self::Record>, FeedError>;
}

impl<E: Event> FeedEvents for E {
    type Record = FeedRecord<E>;

    const SOURCES: &'static [Source] = &[Source::new::<E>(Interest::All)];

    fn decode(event: &FeedEvent) -> Result<Option<FeedRecord<E>>, FeedError> {
        Ok(match event.source(Self::SOURCES) {
            Some(_) => Some(event.decode()?),
            None => None,
        })
    }
}

/// Declares the record of a tuple of enums.
macro_rules! one_of {
    ($(#[$doc:meta])* $name:ident: $($number:literal $variant:ident $event:ident,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name<$($event),+> {
            $(
                #[doc = concat!("An event of enum ", $number, " of the tuple.")]
                $variant(FeedRecord<$event>),
            )+
        }

        impl<$($event: Event),+> FeedEvents for ($($event,)+) {
            type Record = $name<$($event),+>;

            const SOURCES: &'static [Source] = &[$(Source::new::<$event>(Interest::All)),+];

            fn decode(event: &FeedEvent) -> Result<Option<Self::Record>, FeedError> {
                Ok(match event.source(Self::SOURCES).map(|source| source + 1) {
                    $(Some($number) => Some($name::$variant(event.decode()?)),)+
                    _ => None,
                })
            }
        }
    };
}

one_of! {
    /// An event of one of two enums.
    OneOf2: 1 First A, 2 Second B,
}
one_of! {
    /// An event of one of three enums.
    OneOf3: 1 First A, 2 Second B, 3 Third C,
}
one_of! {
    /// An event of one of four enums.
    OneOf4: 1 First A, 2 Second B, 3 Third C, 4 Fourth D,
}
one_of! {
    /// An event of one of five enums.
    OneOf5: 1 First A, 2 Second B, 3 Third C, 4 Fourth D, 5 Fifth E,
}
one_of! {
    /// An event of one of six enums.
    OneOf6: 1 First A, 2 Second B, 3 Third C, 4 Fourth D, 5 Fifth E, 6 Sixth F,
}

/// A feed of decoded events. [`Feed::events`] makes it.
pub struct TypedFeed<S, T> {
    /// The feed.
    feed: Feed<S>,
    /// The enums.
    events: PhantomData<fn() -> T>,
}

/// A page of decoded events.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TypedPage<R> {
    /// The events, in the order of the feed; none, if the page has only events of other enums.
    pub records: Vec<R>,
    /// The end of the page: the place to continue.
    pub cursor: Cursor,
    /// `true` if the next page can be read immediately.
    pub more: bool,
}

impl<S: EventFeed> Feed<S> {
    /// Reads only the events of one enum, or of a tuple of enums, and decodes them.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::feed::OneOf2;
    /// use eventlogs::{Cursor, Event, EventFeed, EventRecord, SqliteEventStore};
    ///
    /// #[derive(Debug, Event)]
    /// enum PaymentEvent { Captured { amount: u64 } }
    ///
    /// #[derive(Debug, Event)]
    /// enum OrderEvent { Placed }
    ///
    /// # let store = SqliteEventStore::in_memory().await?;
    /// let mut feed = store.feed(Cursor::START).events::<(PaymentEvent, OrderEvent)>();
    /// while let Some(page) = feed.next_page().await? {
    ///     for record in &page.records {
    ///         match record {
    ///             OneOf2::First(payment) => println!("payment: {:?}", payment.event()),
    ///             OneOf2::Second(order) => println!("order: {:?}", order.event()),
    ///         }
    ///     }
    ///     // Keep `page.cursor` together with what was done.
    /// }
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn events<T: FeedEvents>(self) -> TypedFeed<S, T> {
        TypedFeed {
            feed: self.with_wanted(Wanted::of(T::SOURCES)),
            events: PhantomData,
        }
    }
}

impl<S: EventFeed, T: FeedEvents> TypedFeed<S, T> {
    /// Returns the end of the last page: the place to continue.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.feed.cursor()
    }

    /// Reads and decodes the next page. Returns `None` if the feed has no more events now; a later call may return some.
    ///
    /// If the future is dropped, or the page cannot be decoded, the next call reads the same page.
    ///
    /// # Errors
    /// - [`Decode`](FeedError::Decode) if this code cannot read an event of the enums.
    /// - Those of [`Feed::next_page`].
    pub async fn next_page(&mut self) -> Result<Option<TypedPage<T::Record>>, FeedError> {
        let Some(next) = self.feed.prepare().await? else {
            return Ok(None);
        };
        let wanted = next.events().filter(|event| event.payload.is_some());
        let records = wanted.filter_map(|event| T::decode(event).transpose());
        let records = records.collect::<Result<_, _>>()?;
        let page = self.feed.accept(next);
        Ok(Some(TypedPage {
            records,
            cursor: page.cursor,
            more: page.more,
        }))
    }

    /// Waits until there may be events after the cursor.
    ///
    /// # Errors
    /// Those of [`Feed::wait`].
    pub async fn wait(&mut self) -> Result<(), FeedError> {
        self.feed.wait().await
    }
}

impl<S: fmt::Debug, T> fmt::Debug for TypedFeed<S, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TypedFeed")
            .field("feed", &self.feed)
            .finish()
    }
}
