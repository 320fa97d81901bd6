//! Transactions of the caller, over the connection that writes.
//!
//! A task keeps each of them: it begins the transaction and ends it, whatever happens to the future of the caller, and rolls it
//! back when its time is over.

use crate::stores::error::store::StoreError;
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::sqlite::core::Core;
use crate::stores::sqlite::pool::writer_connection::WriterGuard;
use crate::stores::sqlite::transaction;
use crate::stores::sqlite::values::Stamp;
use crate::time_box;
use sqlx::sqlite::SqliteConnection;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, oneshot};
use tokio::time::timeout_at;

/// The transaction was open for too long.
const TOO_LONG: &str = "it was open for longer than `SqliteOptions::transaction_timeout` and was rolled back; run it again, and do nothing slow in it";
/// The transaction was rolled back after a failure.
const FAILED: &str = "an operation in it has failed, and it was rolled back; run it again";
/// The future of an operation was dropped.
const DROPPED: &str =
    "an operation in it was dropped before it was done; roll it back and run it again";
/// The transaction was begun by another store.
const OF_ANOTHER_STORE: &str =
    "it was begun by another store; pass it to the store that has begun it";

/// A transaction of the connection that writes, from [`SqliteEventStore::begin`].
///
/// [`append_in`](SqliteEventStore::append_in) and [`create_in`](SqliteEventStore::create_in) write events in it,
/// [`catch_up_in`](SqliteEventStore::catch_up_in) brings rows of projections up to date, and [`connection`](Self::connection)
/// is for SQL of your own. Nothing is stored before [`commit`](Self::commit). If it is dropped, it is rolled back.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct SqliteTransaction {
    /// The store.
    core: Arc<Core>,
    /// The connection, until the transaction is over.
    slot: Slot,
    /// Tells the task how it ends. Dropped, it is rolled back. `None` after a failure.
    ending: Option<oneshot::Sender<Ending>>,
}

/// The place of an open transaction. Its task takes it out at the end.
type Slot = Arc<Mutex<Option<Open>>>;

/// An open transaction.
pub(super) struct Open {
    /// The connection that writes.
    pub(super) guard: WriterGuard,
    /// The stamp of its events, after the first append.
    pub(super) stamp: Option<Stamp>,
    /// Whether an operation has begun and was not done: its future was dropped.
    is_half_done: bool,
}

/// How a transaction ends, and who waits for that.
enum Ending {
    Commit(oneshot::Sender<Result<(), StoreError>>),
    RollBack(oneshot::Sender<()>),
}

impl SqliteEventStore {
    /// Begins a transaction, to write events, rows of projections and tables of your own together, or nothing of it.
    ///
    /// It takes the turn of the writer and the write lock of the file. So hold it briefly: until it ends, all other appends,
    /// decisions and pages of subscriptions wait. Appends wait in the queue, with their deadlines and usual errors; writers in
    /// other processes wait for their busy timeout. Do nothing else with the store in between that writes: it would wait for
    /// you, while you wait for it. Reads go on, except with a database in memory, whose only connection you have.
    ///
    /// After [`transaction_timeout`](crate::SqliteOptions::transaction_timeout) it is rolled back, so that a forgotten one does
    /// not stop the store. That does not interrupt a statement that is running.
    ///
    /// If the future is dropped, nothing has begun.
    ///
    /// # Errors
    /// - [`Overloaded`](StoreError::Overloaded) if the turn does not come within [`timeout`](crate::SqliteOptions::timeout).
    /// - [`Busy`](StoreError::Busy) if another program keeps the file locked for longer than
    ///   [`busy_timeout`](crate::SqliteOptions::busy_timeout).
    /// - [`FileReplaced`](StoreError::FileReplaced) if the file at the path is not the file that was opened.
    /// - [`ReadOnly`](StoreError::ReadOnly) if the store only reads.
    /// - [`NotMigrated`](StoreError::NotMigrated) if tables are missing or older than this code.
    /// - [`Closed`](StoreError::Closed) if the store was closed.
    pub async fn begin(&self) -> Result<SqliteTransaction, StoreError> {
        let core = self.shared_core();
        core.check_schema().await?;
        let end = time_box::end_after(core.options.timeout);
        let turn = timeout_at(end, core.pool.writer()).await;
        let guard = turn.map_err(|_| StoreError::Overloaded)??;
        let (opened, opening) = oneshot::channel();
        tokio::spawn(keep(Arc::clone(&core), guard, opened));
        let (slot, ending) = opening.await.map_err(|_| StoreError::Closed)??;
        Ok(SqliteTransaction {
            core,
            slot,
            ending: Some(ending),
        })
    }
}

/// Begins a transaction, and ends it when it is told to or its time is over.
async fn keep(
    core: Arc<Core>,
    guard: WriterGuard,
    opened: oneshot::Sender<Result<(Slot, oneshot::Sender<Ending>), StoreError>>,
) {
    let guard = match transaction::begin_counted(guard).await {
        Ok(guard) => guard,
        Err(error) => {
            // Without a receiver, nobody waits for it.
            let _ = opened.send(Err(error));
            return;
        }
    };
    let end = time_box::end_after(core.options.transaction_timeout);
    let slot = Arc::new(Mutex::new(Some(Open {
        guard,
        stamp: None,
        is_half_done: false,
    })));
    let (ending, told) = oneshot::channel();
    // If nobody waits for the transaction any more, `ending` is dropped here, which ends it.
    let _ = opened.send(Ok((Arc::clone(&slot), ending)));
    let told = timeout_at(end, told).await;
    let is_late = told.is_err();
    // A statement that is running comes to its end first.
    let Some(open) = slot.lock().await.take() else {
        return;
    };
    match told {
        Ok(Ok(Ending::Commit(answer))) if !open.is_half_done => {
            let committed = transaction::commit_counted(open.guard).await;
            core.commits.give();
            let _ = answer.send(committed);
        }
        Ok(Ok(Ending::Commit(answer))) => {
            transaction::roll_back(open.guard).await;
            let _ = answer.send(Err(unusable(DROPPED)));
        }
        Ok(Ok(Ending::RollBack(answer))) => {
            transaction::roll_back(open.guard).await;
            let _ = answer.send(());
        }
        Ok(Err(_)) | Err(_) => transaction::roll_back(open.guard).await,
    }
    if is_late {
        tracing::warn!("a transaction was open for too long, and was rolled back");
    }
}

const fn unusable(reason: &'static str) -> StoreError {
    StoreError::TransactionUnusable { reason }
}

impl SqliteTransaction {
    /// Returns the connection, for SQL of your own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = eventlogs::SqliteEventStore::in_memory().await?;
    /// use eventlogs::sqlx::query;
    ///
    /// let mut transaction = store.begin().await?;
    /// query("create table orders (id integer primary key)").execute(&mut *transaction.connection()?).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Do not end the transaction with SQL, and do not change the settings of the connection: the store goes on with it. A
    /// transaction that you begin on it is a savepoint. After an error of one of your statements, roll the transaction back: if
    /// the disk is full, SQLite has ended it already. A value that you keep holds up the end of the transaction.
    ///
    /// # Errors
    /// [`TransactionUnusable`](StoreError::TransactionUnusable) if the transaction is over.
    pub fn connection(&mut self) -> Result<SqliteTransactionConnection<'_>, StoreError> {
        let open = self.open()?;
        Ok(SqliteTransactionConnection(MappedMutexGuard::map(
            open,
            |open| &mut *open.guard,
        )))
    }

    /// Commits. The events are stored when it returns `Ok`.
    ///
    /// If the future is dropped, the transaction is committed nevertheless, unless the commit fails.
    ///
    /// # Errors
    /// - [`TransactionUnusable`](StoreError::TransactionUnusable) if it was open for too long, or an operation in it has failed
    ///   or was dropped. Nothing was stored.
    /// - [`StorageFull`](StoreError::StorageFull), [`Busy`](StoreError::Busy), [`Database`](StoreError::Database): nothing was
    ///   stored.
    /// - [`OutcomeUnknown`](StoreError::OutcomeUnknown) if the disk has failed; or, with
    ///   [`FileReplaced`](StoreError::FileReplaced) as its source, if the file at the path is not the file that was opened.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let ending = self.ending.take().ok_or_else(|| unusable(FAILED))?;
        let (answer, answered) = oneshot::channel();
        if ending.send(Ending::Commit(answer)).is_err() {
            return Err(unusable(TOO_LONG));
        }
        match answered.await {
            Ok(committed) => committed,
            // The runtime has ended, maybe in the middle of the commit.
            Err(_) => Err(StoreError::OutcomeUnknown { source: None }),
        }
    }

    /// Rolls back, and returns when others can write. Dropping the transaction rolls it back, too, a moment later.
    pub async fn rollback(mut self) {
        self.fail().await;
    }

    /// Rolls back after a failure.
    pub(super) async fn fail(&mut self) {
        let Some(ending) = self.ending.take() else {
            return;
        };
        let (answer, answered) = oneshot::channel();
        if ending.send(Ending::RollBack(answer)).is_ok() {
            // An error means that the runtime has ended, and the connection is closed.
            let _ = answered.await;
        }
    }

    /// Returns the open transaction for an operation of a store, which must end it with
    /// [`unless_failed`](Self::unless_failed), [`fail`](Self::fail) or [`note_done`](Self::note_done).
    pub(super) fn open_for(
        &mut self,
        core: &Core,
    ) -> Result<MappedMutexGuard<'_, Open>, StoreError> {
        if !std::ptr::eq(core, Arc::as_ptr(&self.core)) {
            return Err(unusable(OF_ANOTHER_STORE));
        }
        let mut open = self.open()?;
        open.is_half_done = true;
        Ok(open)
    }

    fn open(&mut self) -> Result<MappedMutexGuard<'_, Open>, StoreError> {
        if self.ending.is_none() {
            return Err(unusable(FAILED));
        }
        // Only the task that ends the transaction can have the lock.
        let slot = self.slot.try_lock();
        let slot = slot.map_err(|_| unusable(TOO_LONG))?;
        let open = MutexGuard::try_map(slot, Option::as_mut);
        let open = open.map_err(|_| unusable(TOO_LONG))?;
        if open.is_half_done {
            return Err(unusable(DROPPED));
        }
        Ok(open)
    }

    /// Notes that an operation is done.
    pub(super) fn note_done(&mut self) {
        // If the lock is taken, the transaction is being rolled back.
        if let Ok(mut slot) = self.slot.try_lock()
            && let Some(open) = &mut *slot
        {
            open.is_half_done = false;
        }
    }

    /// Rolls back if an operation has failed.
    pub(super) async fn unless_failed<T>(
        &mut self,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if done.is_ok() {
            self.note_done();
        } else {
            self.fail().await;
        }
        done
    }
}

impl fmt::Debug for SqliteTransaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteTransaction")
            .field("failed", &self.ending.is_none())
            .finish_non_exhaustive()
    }
}

/// The connection of a [`SqliteTransaction`], in use.
#[must_use]
pub struct SqliteTransactionConnection<'a>(MappedMutexGuard<'a, SqliteConnection>);

impl Deref for SqliteTransactionConnection<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for SqliteTransactionConnection<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl fmt::Debug for SqliteTransactionConnection<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteTransactionConnection")
            .finish_non_exhaustive()
    }
}
