//! Listing the logs of a manager.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::manager::error::LogManagerError;
use crate::manager::telemetry::labels::Operation;
use crate::stores::list::cursor::{ListCursor, ListOrder, ListStart};
use crate::stores::list::{ListRequest, LogList};
use tracing::Instrument;

/// Options of [`LogManager::list`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOptions {
    /// The order of the logs. By id by default.
    pub order: ListOrder,
    /// The [`next`](LogList::next) of the page before, in the same order. By default the page is the first one.
    pub after: Option<ListCursor>,
    /// The largest number of logs in the page: 100 logs by default. 0 counts as 1.
    pub limit: usize,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self {
            order: ListOrder::default(),
            after: None,
            limit: 100,
        }
    }
}

impl<A: Aggregate> LogManager<A> {
    /// Lists the logs of this manager's kind, one page per call, each log with its last event.
    ///
    /// The kind is that of the event enum, under its current or a [former](crate::LogType::with_aliases) name. Logs of other
    /// kinds in the same store are left out.
    ///
    /// ```
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::{LogManager, LogManagerOptions, ids::LogId};
    /// use eventlogs::{ListOptions, ListOrder};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlogs::LogManagerError> {
    /// # let logs = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// # for _ in 0..3 {
    /// #     logs.create(LogId::new(), &CounterEvent::Added { amount: 1 }, &Default::default()).await?;
    /// # }
    /// # let mut found = 0;
    /// let mut options = ListOptions { order: ListOrder::NewestChange, limit: 2, ..Default::default() };
    /// loop {
    ///     let page = logs.list(&options).await?;
    ///     for log in &page.logs {
    ///         println!("{} has {} events, the last of {}", log.log_id, log.state().index() + 1, log.changed_at);
    /// #       found += 1;
    ///     }
    ///     // An API can hand the cursor out as a text: it has `to_string` and `parse`, and serialises.
    ///     options.after = page.next;
    ///     if options.after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # assert_eq!(found, 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Pages
    /// A page may have fewer logs than the limit, even none, and there may still be a [next](LogList::next) one. A store has no
    /// index of the logs of one kind, so it looks at others, too, and each page looks at no more than a fixed number:
    ///
    /// - [by id](ListOrder::Id) at [1,000 logs](ListRequest::MOST_LOGS), of whatever kind;
    /// - [by newest change](ListOrder::NewestChange) at [5,000 events](ListRequest::MOST_CHANGES), of whatever log: also at the
    ///   earlier events of logs that the list has already returned.
    ///
    /// So a page takes one round trip and a limited time, whatever the store holds. [`looked_at`](LogList::looked_at) is the
    /// number that a page has looked at.
    ///
    /// # Changes between two pages
    /// - By id, each page shows its logs as they are when it is read. A log that is created meanwhile is returned if its id
    ///   comes after the pages that were read; an id of [`LogId::new`](crate::ids::LogId::new) does.
    /// - By newest change, all pages show the logs as they were when the first page was read: each log once, with the event
    ///   that was its last one then. A log that is changed meanwhile keeps its place in the list, and an append after its
    ///   listed state fails. A log that is created meanwhile is not returned. To see what is new, read the first page again.
    ///
    ///   There is one exception: on a PostgreSQL server that follows another one, a log can be missing from the list if it was
    ///   being changed while the first page was read.
    ///
    /// The future may be dropped at any time.
    ///
    /// # Errors
    /// - [`OtherListOrder`](LogManagerError::OtherListOrder) if [`after`](ListOptions::after) comes from a list in another
    ///   order.
    /// - [`Store`](LogManagerError::Store) if the database fails.
    pub async fn list(&self, options: &ListOptions) -> Result<LogList<A::Event>, LogManagerError> {
        let ListOptions {
            order,
            after,
            limit,
        } = options;
        let call = self.inner.measures.begin(Operation::List);
        let span = tracing::info_span!("list", aggregate = A::name(), %order, limit);
        let listing = async {
            let start = ListStart::new(*order, after.as_ref())?;
            let request = ListRequest::new(start, *limit);
            Ok(self.inner.store.list(request).await?)
        };
        call.end(listing.instrument(span).await)
    }
}
