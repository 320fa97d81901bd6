//! Appends inside a transaction of the caller, on SQLite.

use crate::event::Event;
use crate::ids::IntoLogId;
use crate::log_state::{IntoLogState, LogState};
use crate::manager::error::LogManagerError;
use crate::manager::write_options::{AppendOptions, CreateOptions};
use crate::stores::request::AppendRequest;
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::sqlite::user_transaction::SqliteTransaction;
use std::slice;

impl SqliteEventStore {
    /// Appends events inside a transaction of this store: they are stored if and only if its other writes are.
    ///
    /// The guarantees of an append hold: the log must end at `state`, either all events are stored or none, and a used
    /// idempotency key is a replay. The returned state is valid only after the commit. Nothing is cached. The metadata is only
    /// that of the options.
    ///
    /// After a refusal, such as a conflict or a replay, the transaction can continue without the events. After an error of the
    /// database, [`LogManagerError::Store`], it is rolled back; so it is if the future is dropped before it is ready.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use eventlogs::{Event, SqliteEventStore, ids::LogId, sqlx};
    /// # #[derive(Event)] enum OrderEvent { #[event(name = "order.placed")] Placed, #[event(name = "order.paid")] Paid }
    /// # let store = SqliteEventStore::in_memory().await?;
    /// let mut transaction = store.begin().await?;
    /// let order = store.create_in(&mut transaction, LogId::new(), &OrderEvent::Placed, &Default::default()).await?;
    /// store.append_in(&mut transaction, order, &[OrderEvent::Paid], &Default::default()).await?;
    /// sqlx::query("create table stock (reserved integer)").execute(&mut *transaction.connection()?).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "macros", feature = "json")))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// - [`TransactionUnusable`](crate::stores::StoreError::TransactionUnusable) if the transaction is over, or belongs to
    ///   another store.
    /// - Those of [`LogManager::append`](crate::LogManager::append).
    pub async fn append_in<E: Event>(
        &self,
        transaction: &mut SqliteTransaction,
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

    /// Creates a log inside a transaction of this store, under the same conditions as
    /// [`append_in`](SqliteEventStore::append_in).
    ///
    /// # Errors
    /// - Those of [`LogManager::create`](crate::LogManager::create).
    /// - Those of [`append_in`](SqliteEventStore::append_in).
    pub async fn create_in<E: Event>(
        &self,
        transaction: &mut SqliteTransaction,
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
