//! Appending inside a transaction of the caller's, on PostgreSQL.
//!
//! It stands above the manager, because it takes the manager's options and returns its errors; the manager knows no SQL.

use crate::event::Event;
use crate::ids::LogId;
use crate::log_state::LogState;
use crate::manager::error::LogManagerError;
use crate::manager::write_options::{AppendOptions, CreateOptions};
use crate::stores::postgres::PostgresEventStore;
use crate::stores::request::AppendRequest;
use sqlx::{Postgres, Transaction};
use std::slice;

impl PostgresEventStore {
    /// Appends events inside your own transaction, so that they are recorded if and only if what else it writes is.
    ///
    /// The promises of an append hold: the log must end at `state`, all events land or none, a used key is a replay. What is
    /// given up is what needs the library to send the append by itself:
    ///
    /// - It is not gathered with others: a savepoint and an insert, three round trips and your commit.
    /// - The answer is only true once you have committed. A commit whose connection breaks is yours to find out about: run the
    ///   transaction again with the same idempotency key.
    /// - Until you commit, others who append to the log wait, and are told [`Busy`](crate::stores::StoreError::Busy) after a while. Commit
    ///   soon.
    /// - Nothing is cached. Metadata is that of the options alone.
    /// - The transaction must not be older than the log's last event, or else whoever reads all logs in the order of
    ///   transactions would see the events in the wrong order. One that has written before this call may be
    ///   ([`TransactionTooOld`](crate::stores::StoreError::TransactionTooOld)): roll it back and run it again, best with the append as its
    ///   first write.
    ///
    /// After an error the transaction can go on without the events, unless it is
    /// [`TransactionFailed`](crate::stores::StoreError::TransactionFailed). Dropped half-way, roll the transaction back.
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
    /// Those of [`LogManager::append`](crate::LogManager::append), and the two named above.
    pub async fn append_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        state: impl Into<LogState<E>>,
        events: &[E],
        options: &AppendOptions,
    ) -> Result<LogState<E>, LogManagerError> {
        let state = state.into();
        let log_id = state.log_id();
        let mut request = AppendRequest::after(state, events);
        request.context = options.context(log_id, options.metadata.clone());
        match self.write_in(transaction, &request).await {
            Ok(state) => Ok(state.into()),
            Err(error) => Err(options.error(error, log_id)),
        }
    }

    /// Creates a log inside your own transaction, as [`append_in`](PostgresEventStore::append_in) appends.
    ///
    /// # Errors
    /// Those of [`LogManager::create`](crate::LogManager::create), and those of
    /// [`append_in`](PostgresEventStore::append_in).
    pub async fn create_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        log_id: impl Into<LogId>,
        event: &E,
        options: &CreateOptions,
    ) -> Result<LogState<E>, LogManagerError> {
        let log_id = log_id.into();
        let mut request = AppendRequest::create(log_id, slice::from_ref(event));
        request.context = options.context(log_id, options.metadata.clone());
        match self.write_in(transaction, &request).await {
            Ok(state) => Ok(state.into()),
            Err(error) => Err(options.error(error)),
        }
    }
}
