//! What a store does for its feed.

use crate::cursor::{Cursor, Place};
use crate::feed::commits::Commits;
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::guard::Guard;
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::stores::error::store::StoreError;
use std::ops::Range;
use std::time::Duration;

/// A store with a feed: all its events, of all logs, in one order.
///
/// The order never changes behind a reader: an event that is not in the feed yet comes after all events that are. Within a log
/// it is the order of the indices. An event enters the feed when it is committed, and, on PostgreSQL, when all transactions that
/// began to write before its own have ended.
///
/// [`feed`](EventFeed::feed) reads it. The other methods are for readers inside this crate, and for those who write a store.
pub trait EventFeed: Clone + Send + Sync + 'static {
    /// Looks where the feed ends now.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn head(&self) -> impl Future<Output = Result<FeedHead, StoreError>> + Send;

    /// Reads one page of the feed, up to a head that was looked up before. A store may return less than the limit.
    ///
    /// # Errors
    /// - [`FeedRewound`](FeedError::FeedRewound) if the event of the cursor does not exist.
    /// - [`Store`](FeedError::Store) if the database failed.
    fn read_feed(
        &self,
        request: FeedRequest<'_>,
    ) -> impl Future<Output = Result<FeedPage, FeedError>> + Send;

    /// Reads events of one log that are missing from a page, with those payloads that are wanted.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn read_gap(
        &self,
        log_id: LogId,
        indices: Range<u64>,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Vec<FeedEvent>, StoreError>> + Send;

    /// Looks for the place of an event in the feed. Returns `None` if the event does not exist.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn find_place(
        &self,
        log_id: LogId,
        index: u64,
    ) -> impl Future<Output = Result<Option<Cursor>, StoreError>> + Send;

    /// Looks which transaction holds the end of the feed back.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn feed_hold(&self) -> impl Future<Output = Result<Option<FeedHold>, StoreError>> + Send {
        async { Ok(None) }
    }

    /// Returns a receiver of the signal that this process has committed something.
    fn commits(&self) -> Commits;

    /// Starts to read the feed after a cursor.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::{Cursor, EventFeed, SqliteEventStore};
    ///
    /// let store = SqliteEventStore::in_memory().await?;
    /// let mut feed = store.feed(Cursor::START);
    /// while let Some(page) = feed.next_page().await? {
    ///     for event in page.events {
    ///         println!("{} {} {}", event.log_id, event.index, event.event_type);
    ///     }
    /// }
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
    /// # fn main() {}
    /// ```
    fn feed(&self, cursor: Cursor) -> Feed<Self> {
        Feed {
            store: self.clone(),
            cursor,
            wanted: Wanted::all(),
            page_size: PAGE_EVENTS,
            head: None,
            guard: Guard::new(cursor == Cursor::START),
            previous: None,
            has_moved: false,
            is_thin: false,
        }
    }
}

/// The usual number of events of a page.
pub(crate) const PAGE_EVENTS: usize = 500;
/// The size of payloads and metadata at which a page ends early, in bytes.
pub(crate) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Where a feed ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedHead {
    /// The fence: every event before this place is final, and no event can still appear before it.
    pub fence: Cursor,
    /// The last committed event, on this or the other side of the fence; `None` if there is none.
    pub last: Option<Cursor>,
    /// The last event before the fence; `None` if there is none.
    pub readable: Option<Cursor>,
    /// The history that the feed belongs to.
    pub history: History,
    /// `true` if the server only follows another one, so that it may lack events that the other one has.
    pub is_standby: bool,
}

/// The history that a database belongs to, and the server that has it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct History {
    /// The identifier of the database system; 0 if it is not known.
    pub system: i64,
    /// The number of its timeline, which rises with each fail-over and each restore; 0 if there are no timelines.
    pub timeline: u32,
    /// When the server started, in microseconds since 1970; 0 if it is not known. Servers that follow the same one differ in
    /// it, and so does a server before and after its files were replaced by older ones.
    pub started: i64,
}

impl History {
    /// Makes the history of a system and its timeline, on the server that started at this time.
    #[must_use]
    pub const fn new(system: i64, timeline: u32, started: i64) -> Self {
        Self {
            system,
            timeline,
            started,
        }
    }
}

impl FeedHead {
    /// Makes a head.
    #[must_use]
    pub const fn new(fence: Cursor, last: Option<Cursor>, readable: Option<Cursor>) -> Self {
        Self {
            fence,
            last,
            readable,
            history: History::new(0, 0, 0),
            is_standby: false,
        }
    }

    /// Returns `true` if there is an event behind the cursor that can be read.
    #[must_use]
    pub fn has_events_after(&self, cursor: Cursor) -> bool {
        self.readable
            .is_some_and(|readable| readable.place() > cursor.place())
    }

    /// Returns `true` if the event of the cursor comes after all events.
    pub(crate) fn is_behind(&self, cursor: Cursor) -> bool {
        cursor.event_id().is_some() && self.last.is_none_or(|last| last.place() < cursor.place())
    }

    /// Returns the cursor from which on a reader gets what is not final yet.
    pub(crate) fn now(&self) -> Cursor {
        if self.is_held() {
            self.fence
        } else {
            self.readable.unwrap_or(Cursor::START)
        }
    }

    /// Returns `true` if there are events that are committed, but not final.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.last
            .is_some_and(|last| last.place() >= self.fence.place())
    }

    /// Returns about how many events lie behind the cursor.
    #[must_use]
    pub fn distance(&self, cursor: Cursor) -> u64 {
        match self.last.map(|last| last.place()) {
            Some(last) if last.epoch == cursor.place().epoch => {
                last.position.saturating_sub(cursor.place().position)
            }
            Some(last) => last.position,
            None => 0,
        }
    }
}

/// A request for a page of a feed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct FeedRequest<'a> {
    /// The page begins after this cursor.
    pub after: Cursor,
    /// The page ends before the fence of this head.
    pub head: FeedHead,
    /// The greatest number of events that the store looks at.
    pub limit: usize,
    /// The events whose payloads are needed.
    pub wanted: &'a Wanted,
    /// `true` if the store may leave out the events of logs that are not wanted. The last event that it has looked at is
    /// returned in any case.
    pub sparse: bool,
}

impl<'a> FeedRequest<'a> {
    /// Makes a request for a page after a cursor, with all events.
    #[must_use]
    pub const fn new(after: Cursor, head: FeedHead, limit: usize, wanted: &'a Wanted) -> Self {
        Self {
            after,
            head,
            limit,
            wanted,
            sparse: false,
        }
    }

    /// Returns the place before which the page ends.
    ///
    /// The transaction of a cursor that a feed has returned is final, even if the head is older than the cursor.
    #[must_use]
    pub fn end(&self) -> Cursor {
        let after = self.after.place();
        let behind = Place {
            tx: after.tx.saturating_add(1),
            position: 0,
            ..after
        };
        let fence = self.head.fence.place();
        Cursor::new(
            match self.after.event_id() {
                Some(_) => fence.max(behind),
                None => fence,
            },
            None,
        )
    }

    /// Checks the event that a store has found at the place of the cursor, and returns `false` if nothing can be read yet.
    ///
    /// # Errors
    /// [`FeedRewound`](FeedError::FeedRewound) if it is not the event of the cursor.
    pub fn check_anchor(&self, found: Option<EventId>) -> Result<bool, FeedError> {
        let Some(expected) = self.after.event_id() else {
            return Ok(true);
        };
        if found == Some(expected) {
            return Ok(true);
        }
        // A server that follows another one may not have the event yet.
        if found.is_none() && self.head.is_standby && self.after.place() >= self.head.fence.place()
        {
            return Ok(false);
        }
        Err(FeedError::FeedRewound { cursor: self.after })
    }
}

/// A page of a feed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FeedPage {
    /// The events, in the order of the feed. Those that are not wanted are left out, or have no payload.
    pub events: Vec<FeedEvent>,
    /// The page reaches to this cursor.
    pub cursor: Cursor,
    /// `true` if the next page can be read immediately. A page with `more` that does not go further than the cursor was asked of
    /// another server than the one whose head was looked up: look again.
    pub more: bool,
}

impl FeedPage {
    /// Makes a page.
    #[must_use]
    pub const fn new(events: Vec<FeedEvent>, cursor: Cursor, more: bool) -> Self {
        Self {
            events,
            cursor,
            more,
        }
    }
}

/// A transaction that holds the end of the feed back: what is committed after it has begun to write waits for its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedHold {
    /// The process of the server that runs the transaction; `None` if it is prepared.
    pub pid: Option<i32>,
    /// The name of the prepared transaction.
    pub gid: Option<String>,
    /// The database of the transaction.
    pub database: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The application.
    pub application: Option<String>,
    /// What the session does; `None` if this role may not know.
    pub state: Option<String>,
    /// The last statement of the session; `None` if this role may not know.
    pub query: Option<String>,
    /// How long the transaction has been running, if it is known.
    pub age: Option<Duration>,
}

impl FeedHold {
    /// Makes a hold of which nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pid: None,
            gid: None,
            database: None,
            user: None,
            application: None,
            state: None,
            query: None,
            age: None,
        }
    }
}

impl Default for FeedHold {
    fn default() -> Self {
        Self::new()
    }
}

/// A reader of a feed, which keeps its own place. [`EventFeed::feed`] makes it.
///
/// It holds one page in memory. It may be dropped at any time; the cursor of the last page that was used is the place to
/// continue.
#[derive(Debug)]
pub struct Feed<S> {
    /// The store.
    pub(super) store: S,
    /// The end of the last page.
    pub(super) cursor: Cursor,
    /// The events that are wanted.
    pub(super) wanted: Wanted,
    /// The greatest number of events of a page.
    pub(super) page_size: usize,
    /// The head that was looked up last.
    pub(super) head: Option<FeedHead>,
    /// Notices events that are left out.
    pub(super) guard: Guard,
    /// The last page that had events: where it began, and the ids of its events.
    pub(super) previous: Option<PreviousPage>,
    /// `true` if the server has changed, and it is not known yet whether the new one has the events of the last page.
    pub(super) has_moved: bool,
    /// `true` if most events of the last page belong to logs that are not wanted.
    pub(super) is_thin: bool,
}

/// What is remembered of a page, to find out after a fail-over whether its events still exist.
#[derive(Debug)]
pub(super) struct PreviousPage {
    /// The page began after this cursor.
    pub(super) after: Cursor,
    /// The places and ids of its events.
    pub(super) events: Vec<Cursor>,
}
