//! What a store does for subscriptions: it keeps their checkpoints and leases, and moves a checkpoint in the transaction of the
//! handlers.

use crate::cursor::Cursor;
use crate::feed::contract::EventFeed;
use crate::feed::source::Source;
use crate::ids::LogId;
use crate::projection::database::Database;
use crate::projection::parked::{ParkedChange, ParkedLog, ParkedWish};
use crate::projection::row_error::RowError;
use crate::projection::table::{RowKeyStatements, RowTable};
use crate::shared_error::SharedError;
use crate::stores::error::store::StoreError;
use chrono::{DateTime, Utc};
use std::time::Duration;
use uuid::Uuid;

/// A store that keeps the checkpoints of subscriptions.
///
/// A checkpoint belongs to one partition of one subscription. It moves only forward, only for the process that holds its lease,
/// and only from the place that this process knows. A lease has a token that rises with each new owner: a process that was
/// stopped for longer than its lease finds another token, and can neither move the checkpoint nor commit what its handlers
/// wrote.
pub trait CheckpointStore: EventFeed {
    /// Registers a subscription at the start of a process. The first registration creates its tables and checkpoints, and removes
    /// what an earlier subscription of the same name has left: parked logs, skipped events and remembered keys.
    ///
    /// # Errors
    /// - [`RegisterError::Refused`] if the subscription exists with another number of partitions, and its checkpoints are at
    ///   different places; if code with another fingerprint was registered before and that
    ///   [is refused](Registration::refuses_stale); if the database user may not create its schema; or if its table cannot hold its rows.
    /// - [`RegisterError::Create`] if the statements that create its tables fail. Nothing is kept then.
    /// - [`RegisterError::Store`] if the database failed.
    fn register(
        &self,
        registration: Registration<'_>,
    ) -> impl Future<Output = Result<(), RegisterError>> + Send;

    /// Takes the lease of a partition, or renews it. Returns `None` while another process holds it, while the subscription is
    /// paused or stopped, and while it has another number of partitions: a process that was started with that number divides the
    /// logs otherwise.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn take(
        &self,
        key: PartitionKey<'_>,
        owner: Uuid,
        lease: Duration,
    ) -> impl Future<Output = Result<Option<Checkpoint>, StoreError>> + Send;

    /// Renews all leases of a process.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn renew(
        &self,
        owner: Uuid,
        lease: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives up all leases of a process.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn release(&self, owner: Uuid) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Notes why a partition has stopped, and gives up its lease.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn stop(
        &self,
        key: PartitionKey<'_>,
        token: i64,
        reason: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Pauses or continues a subscription in all processes; to continue also clears the reason for which it has stopped. Returns
    /// `false` if there is no such subscription.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn set_paused(
        &self,
        name: &str,
        is_paused: bool,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns the state of all partitions of a subscription, or of all subscriptions.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn partitions(
        &self,
        name: Option<&str>,
    ) -> impl Future<Output = Result<Vec<PartitionState>, StoreError>> + Send;

    /// Returns the parked logs of a subscription, in the order in which they were parked.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn parked(&self, name: &str)
    -> impl Future<Output = Result<Vec<ParkedLog>, StoreError>> + Send;

    /// Notes what is to be done with a parked log. Returns `false` if the log is not parked.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn wish(
        &self,
        name: &str,
        log_id: LogId,
        wish: &ParkedWish,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// A store in whose transactions the handlers of projections with `database = D` write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run a projection whose handlers write to `{D}`",
    note = "`database = postgres` needs a `PostgresEventStore`, `database = sqlite` a `SqliteEventStore`; `database = elsewhere` works with every store"
)]
pub trait ProjectionStore<D: Database>: CheckpointStore {
    /// A transaction of this store.
    type Transaction<'a>: ProjectionTransaction<D>;

    /// How long a transaction may take before the page is split. Whoever wants to pause or to end a subscription waits for that
    /// time.
    const TURN: Duration = Duration::from_secs(1);

    /// Begins the transaction of a page, for handlers that may take this time per event.
    ///
    /// # Errors
    /// The database failed: each variant of [`StoreError`] describes its cause.
    fn begin(
        &self,
        name: &str,
        lease: Duration,
        handler_timeout: Duration,
    ) -> impl Future<Output = Result<Self::Transaction<'_>, StoreError>> + Send;

    /// Returns the statements on the keys that are remembered for the later events of their logs; `None` if no rows can be
    /// written there.
    fn row_keys(&self) -> Option<&RowKeyStatements> {
        None
    }
}

/// The transaction of a page. It is rolled back if it is dropped.
pub trait ProjectionTransaction<D: Database>: Send {
    /// Returns what the handlers write with.
    fn connection(&mut self) -> &mut D::Connection;

    /// Moves the checkpoint, changes the parked log of the step, and commits. Returns `false`, after a rollback, if another
    /// process has taken the lease, or the log is not parked where the step says.
    ///
    /// # Errors
    /// - [`OutcomeUnknown`](StoreError::OutcomeUnknown) if the answer to the commit was lost. The checkpoint shows whether it
    ///   has moved.
    /// - Another [`StoreError`] if nothing was committed.
    fn settle(self, step: &Step<'_>) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Rolls back.
    fn roll_back(self) -> impl Future<Output = ()> + Send;
}

/// A subscription that a process runs.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Registration<'a> {
    /// Its name.
    pub name: &'a str,
    /// The fingerprint of its code.
    pub fingerprint: u64,
    /// The events that its code wants and ignores.
    pub sources: &'a [Source],
    /// The number of partitions.
    pub partitions: u16,
    /// Where it begins if it is new.
    pub start: Cursor,
    /// The statements that create its tables, run if it is new.
    pub create: Option<&'a str>,
    /// The table that must be able to hold its rows.
    pub table: Option<&'a RowTable>,
    /// Whether it is refused if code with another fingerprint was registered before.
    pub refuses_stale: bool,
}

impl<'a> Registration<'a> {
    /// Makes the registration of a subscription with one partition, which begins with the first event.
    #[must_use]
    pub const fn new(name: &'a str, fingerprint: u64) -> Self {
        Self {
            name,
            fingerprint,
            sources: &[],
            partitions: 1,
            start: Cursor::START,
            create: None,
            table: None,
            refuses_stale: false,
        }
    }
}

/// One partition of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionKey<'a> {
    /// The name of the subscription.
    pub name: &'a str,
    /// The number of the partition.
    pub partition: u16,
    /// How many partitions the subscription has in this process.
    pub partitions: u16,
}

/// A checkpoint whose lease was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The place.
    pub cursor: Cursor,
    /// The token of the lease.
    pub token: i64,
}

/// A step of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// The partition.
    pub key: PartitionKey<'a>,
    /// The token of the lease.
    pub token: i64,
    /// Where the checkpoint is.
    pub from: Cursor,
    /// Where it moves to.
    pub to: Cursor,
    /// How many events were handled.
    pub handled: u64,
    /// How long the lease is extended.
    pub lease: Duration,
    /// What changes about a parked log.
    pub parked: Option<&'a ParkedChange<'a>>,
}

/// The state of a partition in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionState {
    /// The name of the subscription.
    pub name: String,
    /// The number of the partition.
    pub partition: u16,
    /// How many partitions the subscription has.
    pub partitions: u16,
    /// The fingerprint of the code that was registered last.
    pub fingerprint: u64,
    /// Whether code with another fingerprint was registered before, which may have written rows.
    pub is_stale: bool,
    /// The stored names of the events that the code wants, and that older code has passed over.
    pub missed: Vec<String>,
    /// Whether the subscription is paused.
    pub is_paused: bool,
    /// Why the partition has stopped.
    pub stopped: Option<String>,
    /// The checkpoint.
    pub cursor: Cursor,
    /// How many events were handled.
    pub settled: u64,
    /// When the checkpoint has moved last.
    pub moved_at: DateTime<Utc>,
    /// The process that holds the lease.
    pub owner: Option<Uuid>,
    /// How many logs of the subscription are parked, in all its partitions.
    pub parked: u64,
    /// With how many of them something is to be done.
    pub wishes: u64,
    /// The time at which the first event after the checkpoint was recorded; `None` if there is no such event.
    pub oldest_unsettled: Option<DateTime<Utc>>,
    /// The clock of the database.
    pub now: DateTime<Utc>,
}

/// A subscription was not registered.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The stored subscription does not fit.
    #[error("{reason}")]
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// The statements that create the tables of the projection have failed. Nothing of them was kept.
    #[error(
        "the statements that create the tables have failed: {}; correct them, then start again",
        source.cause()
    )]
    Create {
        /// The error of the database.
        source: SharedError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowError> for RegisterError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Database { source, .. } => Self::Store(StoreError::Database { source }),
            error => Self::Refused {
                reason: error.to_string(),
            },
        }
    }
}

/// The number of the only build of a subscription.
#[cfg(feature = "_database")]
pub(crate) const BUILD: i32 = 1;

/// Returns the reason to refuse a subscription whose rows other code may have written.
pub(crate) fn refuse_stale(name: &str) -> RegisterError {
    RegisterError::Refused {
        reason: format!(
            "the code of `{name}` has changed, and older code may have written its rows; build its tables anew: drop them, and \
             delete `{name}` from the table `subscriptions` of the store, as the guide describes under \
             \"Changing a projection\" (read_models.md); or use `WhenChanged::Keep`"
        ),
    }
}

/// Returns the reason to refuse another number of partitions.
pub(crate) fn refuse_partitions(name: &str, stored: u16, wanted: u16) -> RegisterError {
    RegisterError::Refused {
        reason: format!(
            "`{name}` has {stored} partitions, and their checkpoints are at different places; start it with {stored} partitions, \
             wait until all have the last event, pause it, and then start it with {wanted}"
        ),
    }
}
