//! Appends inside a transaction of the caller, on PostgreSQL.

use crate::event::Event;
use crate::ids::IntoLogId;
use crate::log_state::{IntoLogState, LogState};
use crate::manager::error::LogManagerError;
use crate::manager::write_options::{AppendOptions, CreateOptions};
use crate::stores::postgres::PostgresEventStore;
use crate::stores::request::AppendRequest;
use sqlx::{Postgres, Transaction};
use std::slice;

impl PostgresEventStore {
    /// Appends events inside your own transaction: they are stored if and only if its other writes are.
    ///
    /// The guarantees of an append hold: the log must end at `state`, either all events are stored or none, and a used
    /// idempotency key is a replay. Other features need the library to send the append itself, and do not apply:
    ///
    /// - The append does not share a batch with other writes. It takes three round trips, for a savepoint and an insert, and
    ///   your commit.
    /// - The returned state is valid only after you have committed. If the connection breaks during the commit, its outcome is
    ///   unknown: run the transaction again with the same idempotency key to find out.
    /// - Until you commit, other appends to the log wait. They fail with [`Busy`](crate::stores::StoreError::Busy) when they
    ///   have waited too long, so commit soon.
    /// - Nothing is cached. The metadata is only that of the options.
    /// - The transaction must not be older than the log's last event. Otherwise a reader of all logs in the order of
    ///   transactions would get the events in the wrong order. A transaction that has written before this call can be too old
    ///   ([`TransactionTooOld`](crate::stores::StoreError::TransactionTooOld)). Roll it back and run it again, if possible with
    ///   the append as its first write.
    ///
    /// After an error the transaction can continue without the events, unless the error is
    /// [`TransactionFailed`](crate::stores::StoreError::TransactionFailed). If the future is dropped before it is ready, roll
    /// the transaction back.
    ///
    /// ```no_run
    /// # #[cfg(all(feature = "macros", feature = "json"))] {
    /// # use eventlogs::{Event, LogState, PostgresEventStore, sqlx::{self, PgPool}};
    /// # #[derive(Event)] enum OrderEvent { #[event(name = "order.paid")] Paid }
    /// # async fn pay(pool: PgPool, store: PostgresEventStore, state: LogState<OrderEvent>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin().await?;
    /// store.append_in(&mut transaction, state, &[OrderEvent::Paid], &Default::default()).await?;
    /// sqlx::query("update order_list set paid = true where id = $1").bind(7).execute(&mut *transaction).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`TransactionTooOld`](crate::stores::StoreError::TransactionTooOld) if the transaction began to write before the log's
    ///   last event was recorded.
    /// - [`TransactionFailed`](crate::stores::StoreError::TransactionFailed) if the transaction cannot be serialised with
    ///   others, or the server chose it to end a deadlock.
    /// - Those of [`LogManager::append`](crate::LogManager::append).
    pub async fn append_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        state: impl IntoLogState<E>,
        events: &[E],
        options: &AppendOptions,
    ) -> Result<LogState<E>, LogManagerError> {
        let state = state.into_log_state();
        let log_id = state.log_id();
        let mut request = AppendRequest::after(state, events);
        request.context = options.context(log_id, options.metadata.clone());
        match self.write_in(transaction, &request).await {
            Ok(state) => Ok(state.into()),
            Err(error) => Err(options.error(error, log_id)),
        }
    }

    /// Creates a log inside your own transaction, under the same conditions as [`append_in`](PostgresEventStore::append_in).
    ///
    /// # Errors
    /// - Those of [`LogManager::create`](crate::LogManager::create).
    /// - Those of [`append_in`](PostgresEventStore::append_in).
    pub async fn create_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        log_id: impl IntoLogId,
        event: &E,
        options: &CreateOptions,
    ) -> Result<LogState<E>, LogManagerError> {
        let log_id = log_id.into_log_id();
        let mut request = AppendRequest::create(log_id, slice::from_ref(event));
        request.context = options.context(log_id, options.metadata.clone());
        match self.write_in(transaction, &request).await {
            Ok(state) => Ok(state.into()),
            Err(error) => Err(options.error(error)),
        }
    }
}
