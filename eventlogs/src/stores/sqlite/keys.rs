//! Idempotency keys: what one was used for, and forgetting them.

use super::{Core, SqliteEventStore};
use crate::log_state::LogPosition;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyKey, Replay, RequestFingerprint};
use crate::stores::sqlite::connection::Connections;
use crate::stores::sqlite::read::{event_id, log_id, time};
use crate::stores::sqlite::values::scope;
use crate::stores::sqlite::{error, transaction};
use chrono::Utc;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::time::Duration;

/// How many writes a transaction looks at, and forgets at the most, so that none of them holds the write lock for long.
const AT_ONCE: i64 = 10_000;
/// In front of all scopes.
const FIRST: &[u8] = &[];
/// Behind all scopes.
const LAST: &[u8] = &[0xff; 17];

impl SqliteEventStore {
    /// Forgets the idempotency keys that were used longer ago than this, by this machine's clock, and returns how many
    /// writes they belonged to. The events stay.
    ///
    /// A retry that comes later is not recognised and happens again, so keep keys for at least the longest time in which a
    /// client may retry: days rather than minutes. Unless somebody calls this, keys are kept for ever. It takes short
    /// transactions, between which others write; run it from time to time. The file does not shrink: what becomes free in it
    /// is used again.
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
    /// [`Busy`](StoreError::Busy) and the others of [`StoreError`]. What was forgotten before that stays forgotten.
    pub async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.core.check_schema().await?;
        prune(&self.core, older_than).await
    }
}

/// A place in the order of the keys.
type Bound = (Vec<u8>, Vec<u8>);

/// Goes through all keys in stretches, and returns how many writes it has forgotten.
async fn prune(core: &Core, older_than: Duration) -> Result<u64, StoreError> {
    let connections = &core.connections;
    let mut forgotten = 0;
    let mut from: Bound = (FIRST.to_vec(), Vec::new());
    loop {
        let next = end_of_stretch(connections, &from).await?;
        let is_last = next.is_none();
        let to = next.unwrap_or_else(|| (LAST.to_vec(), Vec::new()));
        if has_old(connections, &from, &to, older_than).await? {
            forgotten += prune_stretch(connections, &from, &to, older_than).await?;
        }
        if is_last {
            return Ok(forgotten);
        }
        from = to;
    }
}

/// The time that is so long ago, in microseconds since 1970.
fn before(older_than: Duration) -> i64 {
    let age = i64::try_from(older_than.as_micros()).unwrap_or(i64::MAX);
    Utc::now().timestamp_micros().saturating_sub(age)
}

/// The last key of the stretch behind a place; none if that reaches to the end.
async fn end_of_stretch(
    connections: &Connections,
    from: &Bound,
) -> Result<Option<Bound>, StoreError> {
    const END: &str = "
        select scope, key from idempotency_keys where (scope, key) > (?, ?) and part = 0
        order by scope, key limit 1 offset ? - 1";
    let end = || {
        let query = sqlx::query(END).bind(&from.0[..]);
        query.bind(&from.1[..]).bind(AT_ONCE)
    };
    let rows = connections.rows(end).await?;
    rows.first()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .transpose()
        .map_err(error::of)
}

/// Whether a stretch has keys to forget: looked up by a reader, so that nobody waits where there are none.
async fn has_old(
    connections: &Connections,
    from: &Bound,
    to: &Bound,
    older_than: Duration,
) -> Result<bool, StoreError> {
    const OLD: &str = "
        select exists (select 1 from idempotency_keys
                       where (scope, key) > (?, ?) and (scope, key) <= (?, ?) and part = 0 and recorded_at < ?)";
    let old = || {
        let query = sqlx::query(OLD).bind(&from.0[..]).bind(&from.1[..]);
        let query = query.bind(&to.0[..]).bind(&to.1[..]);
        query.bind(before(older_than))
    };
    let rows = connections.rows(old).await?;
    rows.first()
        .map_or(Ok(false), |row| row.try_get(0))
        .map_err(error::of)
}

/// Forgets the old keys of a stretch in one transaction: those that are old once nobody else can write.
async fn prune_stretch(
    connections: &Connections,
    from: &Bound,
    to: &Bound,
    older_than: Duration,
) -> Result<u64, StoreError> {
    const DELETE: &str = "
        delete from idempotency_keys
        where (scope, key) in (select scope, key from idempotency_keys
                               where (scope, key) > (?, ?) and (scope, key) <= (?, ?) and part = 0 and recorded_at < ?)
        returning part";
    let mut turn = transaction::begin(connections).await?;
    let delete = sqlx::query(DELETE)
        .bind(&from.0[..])
        .bind(&from.1[..])
        .bind(&to.0[..])
        .bind(&to.1[..])
        .bind(before(older_than));
    let parts = transaction::rows(&mut turn, delete).await;
    let parts = transaction::end(turn, parts).await?;
    // A write to several logs has as many rows.
    let mut writes = 0;
    for part in parts {
        writes += u64::from(part.try_get::<i64, _>(0).map_err(error::of)? == 0);
    }
    Ok(writes)
}

/// What a key was used for, log by log.
pub(super) async fn find(
    connections: &Connections,
    key: IdempotencyKey<'_>,
) -> Result<Vec<Replay>, StoreError> {
    const FIND: &str = "
        select log_id, first_index, event_count, event_id, recorded_at, request_hash
        from idempotency_keys where scope = ? and key = ? order by part";
    let find = || {
        let query = sqlx::query(FIND).bind(scope(key.scope.as_ref()));
        query.bind(key.key.as_bytes())
    };
    let rows = connections.rows(find).await?;
    rows.iter().map(|row| replay(row, 0)).collect()
}

/// The write of a key, from six columns.
pub(super) fn replay(row: &SqliteRow, from: usize) -> Result<Replay, StoreError> {
    let number = |column| row.try_get::<i64, _>(column).map_err(error::of);
    let first_index = number(from + 1)?.unsigned_abs();
    let event_count = number(from + 2)?.unsigned_abs();
    let last = first_index.saturating_add(event_count.saturating_sub(1));
    let hash: Option<&[u8]> = row.try_get(from + 5).map_err(error::of)?;
    Ok(Replay {
        first_index,
        event_count,
        state: LogPosition::new(log_id(row, from)?, last, event_id(row, from + 3)?),
        recorded_at: time(number(from + 4)?),
        // One of another length is not ours, so it says nothing.
        request_fingerprint: hash
            .and_then(|hash| hash.try_into().ok())
            .map(RequestFingerprint::from_bytes),
    })
}
