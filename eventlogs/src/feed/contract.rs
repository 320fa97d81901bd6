//! What a store does for its feed.

use crate::cursor::Cursor;
use crate::feed::ahead::Ahead;
use crate::feed::commits::Commits;
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::guard::Guard;
use crate::feed::head::{FeedHead, FeedHold};
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use crate::stores::error::store::StoreError;
use std::ops::Range;
use std::sync::Arc;

/// A store with a feed: all its events, of all logs, in one order.
///
/// An event that is not in the feed yet comes after all events that are, so a reader never has to go back. Within a log
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

    /// Returns the name of this kind of store in metrics, as [`store_name`](crate::EventStore::store_name) does.
    fn feed_name(&self) -> &'static str {
        "other"
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
            wanted: Arc::new(Wanted::all()),
            page_size: PAGE_EVENTS,
            head: None,
            guard: Guard::new(cursor == Cursor::START),
            previous: None,
            has_moved: false,
            is_thin: false,
            ahead: None,
        }
    }
}

/// The usual number of events of a page.
pub(crate) const PAGE_EVENTS: usize = 500;
/// The size of payloads and metadata at which a page ends early, in bytes.
pub(crate) const PAGE_BYTES: usize = 4 * 1024 * 1024;

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
    pub(super) wanted: Arc<Wanted>,
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
    /// The next page, which is being read already.
    pub(super) ahead: Option<Ahead>,
}

/// What is remembered of a page, to find out after a fail-over whether its events still exist.
#[derive(Debug)]
pub(super) struct PreviousPage {
    /// The page began after this cursor.
    pub(super) after: Cursor,
    /// The places and ids of its events.
    pub(super) events: Vec<Cursor>,
}
