//! Forgets idempotency keys.

use crate::stores::error::store::StoreError;
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::statements::pruning;
use crate::stores::sqlite::statements::pruning::Bound;
use crate::stores::sqlite::{connection, error, transaction};
use chrono::Utc;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::Duration;

/// The number of writes in a stretch: few enough that no transaction holds the write lock for long.
const AT_ONCE: i64 = 10_000;
impl SqliteEventStore {
    /// Forgets the idempotency keys that were used longer ago than `older_than`, by this machine's clock, and returns the
    /// number of writes that they belonged to. The events stay.
    ///
    /// A retry that comes later is not recognised, and is written again. So keep keys for at least the longest time in which a
    /// client may retry: days rather than minutes. If this method is never called, keys are kept indefinitely; call it from
    /// time to time. It uses short transactions, and other writes run between them. The file does not shrink: space that
    /// becomes free in it is used again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::SqliteEventStore;
    /// use std::time::Duration;
    ///
    /// let store = SqliteEventStore::in_memory().await?;
    /// let forgotten = store.prune_idempotency_keys(Duration::from_secs(30 * 86_400)).await?;
    /// assert_eq!(forgotten, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Busy`](StoreError::Busy) if another program keeps the file locked for longer than the busy timeout.
    /// - The others of [`StoreError`], each for its own cause.
    ///
    /// Keys that were forgotten before the error stay forgotten.
    pub async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.core.check_schema().await?;
        prune(&self.core.pool, older_than).await
    }
}

/// Goes through all keys in stretches, and returns the number of writes whose keys it has forgotten.
async fn prune(pool: &ConnectionPool, older_than: Duration) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    let mut from = Bound::first();
    loop {
        let next = end_of_stretch(pool, &from).await?;
        let is_last = next.is_none();
        let to = next.unwrap_or_else(Bound::last);
        if has_old(pool, &from, &to, older_than).await? {
            forgotten += prune_stretch(pool, &from, &to, older_than).await?;
        }
        if is_last {
            return Ok(forgotten);
        }
        from = to;
    }
}

/// The present time minus this age, in microseconds since 1970.
fn before(older_than: Duration) -> i64 {
    let age = i64::try_from(older_than.as_micros()).unwrap_or(i64::MAX);
    Utc::now().timestamp_micros().saturating_sub(age)
}

/// The last key of the stretch that begins after `from`; `None` if fewer keys are left.
async fn end_of_stretch(pool: &ConnectionPool, from: &Bound) -> Result<Option<Bound>, StoreError> {
    let end = || pruning::end_of_stretch(from, AT_ONCE);
    let rows = pool.rows(end).await?;
    let bound = |row: &SqliteRow| {
        Ok(Bound {
            scope: row.try_get("scope")?,
            key: row.try_get("key")?,
        })
    };
    rows.first()
        .map(bound)
        .transpose()
        .map_err(error::into_store_error)
}

/// Returns `true` if a stretch has keys to forget. A reading connection checks that, so that no write waits where there are
/// none.
async fn has_old(
    pool: &ConnectionPool,
    from: &Bound,
    to: &Bound,
    older_than: Duration,
) -> Result<bool, StoreError> {
    let has_old = || pruning::has_old_keys(from, to, before(older_than));
    let rows = pool.rows(has_old).await?;
    rows.first()
        .map_or(Ok(false), |row| row.try_get("has_old"))
        .map_err(error::into_store_error)
}

/// Forgets the old keys of a stretch in one transaction. Their age is measured when the write lock is held.
async fn prune_stretch(
    pool: &ConnectionPool,
    from: &Bound,
    to: &Bound,
    older_than: Duration,
) -> Result<u64, StoreError> {
    let mut guard = transaction::begin(pool.writer().await?).await?;
    let delete = pruning::prune(from, to, before(older_than));
    let parts = connection::rows(&mut guard, delete).await;
    let parts = transaction::end(guard, parts).await?;
    // A write to several logs has one row per log.
    let mut writes = 0;
    for part in parts {
        writes += u64::from(
            part.try_get::<i64, _>("part")
                .map_err(error::into_store_error)?
                == 0,
        );
    }
    Ok(writes)
}
