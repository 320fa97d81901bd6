//! Brings rows of projections up to date in a transaction of the caller.

use crate::feed::event::FeedEvent;
use crate::feed::wanted::Wanted;
use crate::ids::{IntoLogId, LogId};
use crate::projection::catch_up::{CatchUpError, RowEvents};
use crate::projection::database::Sqlite;
use crate::projection::row::ResumableRow;
use crate::projection::row_error::RowError;
use crate::projection::rows::Rows;
use crate::stores::encoding::decoded::signed;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::feed::events;
use crate::stores::sqlite::statements::feed;
use crate::stores::sqlite::user_transaction::SqliteTransaction;
use crate::stores::sqlite::{SqliteEventStore, connection, error};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

impl SqliteEventStore {
    /// Brings the row of a log up to its newest event, those of this transaction included, and returns the row; `None` if no
    /// event of the log makes one.
    ///
    /// After [`append_in`](SqliteEventStore::append_in), events and row are committed together, or neither. Without it, this is
    /// a read that need not wait for the subscription. The subscription that follows the feed meets the row later, and passes
    /// over the events that the row has, so each event takes effect exactly once.
    ///
    /// - The table must exist: start the projection once, or create the table yourself.
    /// - Of a log that is far ahead of its row, 256 events are read at a time.
    /// - Events that the subscription was told to [skip](crate::subscriptions::RunningSubscriptions::skip) are left out here,
    ///   too.
    /// - A projection that began with [`StartAt::Now`](crate::subscriptions::StartAt::Now) has rows without the earlier events.
    ///   This call does not: the first row of a log has all of them.
    ///
    /// If the future is dropped before it is ready, the transaction is rolled back.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::ids::LogId;
    /// use eventlogs::subscriptions::Subscriptions;
    /// use eventlogs::{Event, Projection, Rows, SqliteEventStore, event_handler};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Event)]
    /// enum PaymentEvent { #[event(name = "payment.captured")] Captured { cents: u64 } }
    ///
    /// #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
    /// #[projection(
    ///     name = "payments", events(PaymentEvent), database = sqlite, table = "payments",
    ///     create = "create table payments (id text primary key, cents integer not null, through integer)",
    /// )]
    /// struct PaymentRow { #[key] id: LogId, cents: u64, #[through] through: Option<u64> }
    ///
    /// #[event_handler(PaymentEvent)]
    /// impl PaymentRow {
    ///     #[on(Captured)]
    ///     fn capture(&mut self, cents: u64) { self.cents += cents; }
    /// }
    ///
    /// let store = SqliteEventStore::in_memory().await?;
    /// let running = Subscriptions::new(&store).projection(Rows::<PaymentRow>::new()).start().await?;
    ///
    /// let rows = Rows::<PaymentRow>::new();
    /// let mut transaction = store.begin().await?;
    /// let captured = PaymentEvent::Captured { cents: 250 };
    /// let state = store.create_in(&mut transaction, LogId::new(), &captured, &Default::default()).await?;
    /// let row = store.catch_up_in(&mut transaction, &rows, state.log_id()).await?;
    /// transaction.commit().await?;
    /// assert_eq!(row.map(|row| row.cents), Some(250));
    /// # running.shutdown().await;
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "macros", feature = "json")))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// - [`NotApplied`](CatchUpError::NotApplied) if an event cannot be applied. Nothing was written.
    /// - [`NoIndex`](CatchUpError::NoIndex) if the row was written before the struct had `#[through]`.
    /// - [`BrokenLog`](CatchUpError::BrokenLog) if the log lacks an event.
    /// - [`Row`](CatchUpError::Row) if the table does not exist or cannot hold the row, or the row cannot be read or written.
    ///   After [`RowError::Database`] the transaction is rolled back.
    /// - [`Store`](CatchUpError::Store) with [`TransactionUnusable`](StoreError::TransactionUnusable) if the transaction is
    ///   over, or belongs to another store; with other errors if the events cannot be read, and the transaction is rolled back.
    pub async fn catch_up_in<R: ResumableRow<Database = Sqlite>>(
        &self,
        transaction: &mut SqliteTransaction,
        rows: &Rows<R>,
        log_id: impl IntoLogId,
    ) -> Result<Option<R>, CatchUpError> {
        let mut open = transaction.open_for(self.core())?;
        let caught_up = rows
            .catch_up(&mut open.guard, &LogEvents, log_id.into_log_id())
            .await;
        drop(open);
        if let Err(CatchUpError::Store(_) | CatchUpError::Row(RowError::Database { .. })) =
            caught_up
        {
            transaction.fail().await;
        } else {
            transaction.note_done();
        }
        caught_up
    }
}

/// Reads the events of logs.
struct LogEvents;

impl RowEvents<SqliteConnection> for LogEvents {
    fn keeps_statements(&self) -> bool {
        true
    }

    async fn read(
        &self,
        connection: &mut SqliteConnection,
        projection: &'static str,
        (log_id, from): (LogId, u64),
        limit: u64,
        wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        let statement = feed::of_row(&log_id, from, signed(limit), projection);
        let rows = connection::rows(connection, statement).await?;
        let mut events = events(&rows, wanted).map_err(error::into_store_error)?;
        for (event, row) in events.iter_mut().zip(&rows) {
            let is_skipped = row.try_get("is_skipped");
            if is_skipped.map_err(error::into_store_error)? {
                event.payload = None;
            }
        }
        Ok(events)
    }
}
