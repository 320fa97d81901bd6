//! Pruning of idempotency keys.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::PostgresEventStore;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use sqlx::Row;
use std::time::Duration;

/// The greatest number of writes whose keys one statement forgets, so that no statement holds its locks for long.
const AT_ONCE: i64 = 10_000;
/// No key is older than this, and the server cannot count much further back.
const OLDEST: Duration = Duration::from_hours(1_000 * 365 * 24);

impl PostgresEventStore {
    /// Forgets the idempotency keys that were used longer ago than this, by the server's clock. Returns how many writes the
    /// keys belonged to, or fewer if a connection breaks in between. The events stay.
    ///
    /// A retry that comes later is not recognised and happens again, so keep keys for at least the longest time in which a
    /// client may retry: days rather than minutes. Without a call of this method, keys are kept indefinitely. The method runs
    /// short statements of 10,000 writes each; call it from time to time, in one process or in several. The role needs the
    /// privilege to delete from `idempotency_keys`.
    ///
    /// ```no_run
    /// # async fn prune(store: eventlogs::PostgresEventStore) -> Result<(), eventlogs::stores::StoreError> {
    /// use std::time::Duration;
    ///
    /// let forgotten = store.prune_idempotency_keys(Duration::from_secs(30 * 86_400)).await?;
    /// # let _ = forgotten; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`InsufficientPrivilege`](StoreError::InsufficientPrivilege): the role may not delete from `idempotency_keys`.
    /// - The other errors of [`StoreError`].
    ///
    /// Keys that were forgotten before an error stay forgotten.
    pub async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        let mut forgotten = 0;
        loop {
            let operation = core.tidying();
            let mut attempts = 0;
            let prune = || {
                attempts += 1;
                prune_some(core, &operation, older_than.min(OLDEST))
            };
            let writes = retry::read(&operation, prune).await?;
            forgotten += writes;
            // A second attempt finds few of the keys that the first one has forgotten, but there may be more.
            if attempts == 1 && writes < AT_ONCE.unsigned_abs() {
                return Ok(forgotten);
            }
        }
    }
}

/// Forgets some keys, and returns the number of their writes.
async fn prune_some(
    core: &Core,
    operation: &Operation<'_>,
    older_than: Duration,
) -> Result<u64, AttemptError> {
    let mut connection = operation.lease().await?;
    let statement = core.statements.prune(older_than, AT_ONCE);
    let rows = connection.rows(statement).await?;
    connection.give_back();
    // A write to several logs has several rows.
    let mut writes = 0;
    for row in rows {
        writes += u64::from(row.try_get::<i16, _>("part")? == 0);
    }
    Ok(writes)
}
