//! Brings rows of projections up to date in a transaction of the caller.

use crate::feed::event::FeedEvent;
use crate::feed::wanted::Wanted;
use crate::ids::{IntoLogId, LogId};
use crate::projection::catch_up::{CatchUpError, RowEvents};
use crate::projection::database::Postgres;
use crate::projection::row::ResumableRow;
use crate::projection::row_error::RowError;
use crate::projection::rows::Rows;
use crate::stores::encoding::decoded::signed;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::PostgresEventStore;
use crate::stores::postgres::append_in::in_transaction;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::{Verdict, classify_statement};
use crate::stores::postgres::feed::events;
use sqlx::postgres::PgConnection;
use sqlx::{Row, Transaction};
use std::collections::HashSet;

impl PostgresEventStore {
    /// Brings the row of a log up to the newest event that this transaction sees, its own events included, and returns the row;
    /// `None` if no event of the log makes one.
    ///
    /// After [`append_in`](PostgresEventStore::append_in), events and row are committed together, or neither. Without it, this
    /// is a read that need not wait for the subscription. The subscription that follows the feed meets the row later, and
    /// passes over the events that the row has, so each event takes effect exactly once. Appends elsewhere and the subscription
    /// go on: they share no lock but that of the row.
    ///
    /// - The table must exist: start the projection once, or create the table yourself. It is looked for where the handlers of
    ///   the projection have it: in the schema with the name of the projection, then in `public`.
    /// - It takes three round trips, and one more in the first call with this `rows`. Keep the value, as you keep the store. Of
    ///   a log that is far ahead of its row, 256 events are read at a time.
    /// - From the write on, the row is locked until you end the transaction. A transaction that catches up several rows should
    ///   do so in the order of their log ids, as the subscription does; then none ends in a deadlock.
    /// - The call may wait for a page of the subscription that has the same row, and the page for your transaction. Set
    ///   `lock_timeout` for your connection if you cannot wait, and commit soon.
    /// - Events that the subscription was told to [skip](crate::subscriptions::RunningSubscriptions::skip) are left out here,
    ///   too.
    /// - A projection that began with [`StartAt::Now`](crate::subscriptions::StartAt::Now) has rows without the earlier events.
    ///   This call does not: the first row of a log has all of them.
    ///
    /// If the future is dropped before it is ready, roll the transaction back.
    ///
    /// ```no_run
    /// # #[cfg(all(feature = "macros", feature = "json"))] {
    /// # use eventlogs::{Event, LogState, PostgresEventStore, Projection, Rows, event_handler, ids::LogId, sqlx::PgPool};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Event)] enum PaymentEvent { #[event(name = "payment.captured")] Captured { cents: u64 } }
    /// #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
    /// #[projection(name = "payments", events(PaymentEvent), database = postgres, table = "payments", create = "…")]
    /// struct PaymentRow { #[key] id: LogId, cents: u64, #[through] through: Option<u64> }
    /// # #[event_handler(PaymentEvent)]
    /// # impl PaymentRow { #[on(Captured)] fn capture(&mut self, cents: u64) { self.cents += cents; } }
    ///
    /// # async fn pay(pool: PgPool, store: PostgresEventStore, state: LogState<PaymentEvent>) -> Result<(), Box<dyn std::error::Error>> {
    /// let rows = Rows::<PaymentRow>::new();
    /// let mut transaction = pool.begin().await?;
    /// let captured = [PaymentEvent::Captured { cents: 250 }];
    /// let state = store.append_in(&mut transaction, state, &captured, &Default::default()).await?;
    /// let row = store.catch_up_in(&mut transaction, &rows, state.log_id()).await?;
    /// transaction.commit().await?;
    /// # let _ = row;
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`NotApplied`](CatchUpError::NotApplied) if an event cannot be applied. Nothing was written.
    /// - [`NoIndex`](CatchUpError::NoIndex) if the row was written before the struct had `#[through]`.
    /// - [`BrokenLog`](CatchUpError::BrokenLog) if the log lacks an event.
    /// - [`Row`](CatchUpError::Row) if the table does not exist or cannot hold the row, or the row cannot be read or written.
    /// - [`Store`](CatchUpError::Store) with [`TransactionFailed`](StoreError::TransactionFailed) if the transaction cannot be
    ///   serialised with others, or the server chose it to end a deadlock; with other errors if the events cannot be read.
    pub async fn catch_up_in<R: ResumableRow<Database = Postgres>>(
        &self,
        transaction: &mut Transaction<'_, sqlx::Postgres>,
        rows: &Rows<R>,
        log_id: impl IntoLogId,
    ) -> Result<Option<R>, CatchUpError> {
        let core = self.core();
        core.check_schema().await?;
        let caught_up = rows.catch_up(transaction, core, log_id.into_log_id()).await;
        caught_up.map_err(|error| match error {
            CatchUpError::Row(RowError::Database { source, .. }) if is_conflict(&*source) => {
                StoreError::TransactionFailed { source }.into()
            }
            error => error,
        })
    }
}

impl RowEvents<PgConnection> for Core {
    fn keeps_statements(&self) -> bool {
        self.options.pooler.keeps_statements()
    }

    async fn read(
        &self,
        connection: &mut PgConnection,
        projection: &'static str,
        (log_id, from): (LogId, u64),
        limit: u64,
        wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        let statements = &self.statements.feed;
        let statement = statements.of_row(log_id, from, signed(limit), projection);
        let statement = statement.persistent(RowEvents::keeps_statements(self));
        let rows = statement.fetch_all(connection).await;
        let rows = rows.map_err(in_transaction)?;
        let mut skipped = HashSet::new();
        for row in &rows {
            if row.try_get("is_skipped").map_err(in_transaction)? {
                let index: i64 = row.try_get("event_index").map_err(in_transaction)?;
                skipped.insert(index.unsigned_abs());
            }
        }
        let is_wanted =
            |event: &FeedEvent| wanted.includes(event) && !skipped.contains(&event.index);
        events(&rows, is_wanted).map_err(in_transaction)
    }
}

/// Returns `true` for a conflict between transactions.
fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<sqlx::Error>();
    error.is_some_and(|error| classify_statement(error) == Verdict::Retry)
}
