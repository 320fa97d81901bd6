//! The transactions in which the handlers of projections write.

use crate::projection::checkpoint::{ProjectionStore, ProjectionTransaction, Step};
use crate::projection::database::{Elsewhere, Sqlite};
use crate::projection::table::RowKeyStatements;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::pool::writer_connection::WriterGuard;
use crate::stores::sqlite::statements::row_keys::ROW_KEYS;
use crate::stores::sqlite::statements::{checkpoints, parked};
use crate::stores::sqlite::{SqliteEventStore, error, transaction};
use sqlx::sqlite::SqliteConnection;
use std::fmt;
use std::time::Duration;

/// How long a page may keep the only connection that writes. Appends wait for its end.
const TURN: Duration = Duration::from_millis(10);

/// The transaction of a page.
pub struct PageTransaction {
    /// The connection that writes, in a transaction.
    guard: WriterGuard,
}

impl ProjectionStore<Sqlite> for SqliteEventStore {
    type Transaction<'a> = PageTransaction;

    const TURN: Duration = TURN;

    async fn begin(
        &self,
        _: &str,
        _: Duration,
        _: Duration,
    ) -> Result<PageTransaction, StoreError> {
        begin(self).await
    }

    fn row_keys(&self) -> Option<&RowKeyStatements> {
        Some(&ROW_KEYS)
    }
}

/// Begins the transaction of a page.
async fn begin(store: &SqliteEventStore) -> Result<PageTransaction, StoreError> {
    let guard = store.core().pool.writer().await?;
    let guard = transaction::begin_counted(guard).await?;
    Ok(PageTransaction { guard })
}

impl PageTransaction {
    /// Moves the checkpoint, and changes the parked log of the step. Returns `false` if another process has the lease, or the log
    /// is not parked where the step says.
    async fn move_checkpoint(&mut self, step: &Step<'_>) -> Result<bool, sqlx::Error> {
        let settled = checkpoints::settle(step).execute(&mut *self.guard).await?;
        if settled.rows_affected() != 1 {
            return Ok(false);
        }
        let Some(change) = &step.parked else {
            return Ok(true);
        };
        for statement in parked::change(step.key.name, change) {
            if statement.execute(&mut *self.guard).await?.rows_affected() != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl ProjectionTransaction<Sqlite> for PageTransaction {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.guard
    }

    async fn settle(mut self, step: &Step<'_>) -> Result<bool, StoreError> {
        match self.move_checkpoint(step).await {
            Ok(true) => transaction::commit_counted(self.guard).await.map(|()| true),
            Ok(false) => {
                self.roll_back().await;
                Ok(false)
            }
            Err(error) => transaction::close(self.guard, Err(error::into_store_error(error))).await,
        }
    }

    async fn roll_back(self) {
        transaction::roll_back(self.guard).await;
    }
}

impl fmt::Debug for PageTransaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PageTransaction")
            .finish_non_exhaustive()
    }
}

/// The place of a transaction for handlers that write elsewhere.
#[derive(Debug)]
pub struct NoTransaction<'a> {
    /// The store of the checkpoint.
    store: &'a SqliteEventStore,
    /// What the handlers get.
    nothing: (),
}

impl ProjectionStore<Elsewhere> for SqliteEventStore {
    type Transaction<'a> = NoTransaction<'a>;

    async fn begin(
        &self,
        _: &str,
        _: Duration,
        _: Duration,
    ) -> Result<NoTransaction<'_>, StoreError> {
        Ok(NoTransaction {
            store: self,
            nothing: (),
        })
    }
}

impl ProjectionTransaction<Elsewhere> for NoTransaction<'_> {
    fn connection(&mut self) -> &mut () {
        &mut self.nothing
    }

    async fn settle(self, step: &Step<'_>) -> Result<bool, StoreError> {
        begin(self.store).await?.settle(step).await
    }

    async fn roll_back(self) {}
}
