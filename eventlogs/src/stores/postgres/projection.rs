//! The transactions in which the handlers of projections write.

use crate::projection::checkpoint::{ProjectionStore, ProjectionTransaction, Step};
use crate::projection::database::{Elsewhere, Postgres};
use crate::projection::parked::ParkedChange;
use crate::projection::table::RowKeyStatements;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::PostgresEventStore;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::{AttemptError, Failure};
use crate::stores::postgres::following::rows;
use crate::stores::postgres::pool::Leased;
use crate::stores::postgres::pooler::milliseconds;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::fmt;
use std::time::Duration;
use tokio::time::timeout_at;

/// How long a transaction that was given up may take to end.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// Makes the commit wait for the disk as the server or the user is set up.
const WAIT_FOR_DISK: &str = "set local synchronous_commit to default";

/// The transaction of a page.
pub struct PageTransaction<'a> {
    /// The connection, in a transaction.
    connection: Leased<'a>,
    /// The state of the store.
    core: &'a Core,
}

impl ProjectionStore<Postgres> for PostgresEventStore {
    type Transaction<'a> = PageTransaction<'a>;

    async fn begin(
        &self,
        name: &str,
        lease: Duration,
        handler_timeout: Duration,
    ) -> Result<PageTransaction<'_>, StoreError> {
        let begin_text = handlers_begin(name, lease, handler_timeout);
        begin(self.core(), &begin_text).await
    }

    fn row_keys(&self) -> Option<&RowKeyStatements> {
        Some(&self.core().statements.row_keys)
    }
}

/// Begins a transaction, on another connection if one is broken.
pub(super) async fn begin<'a>(
    core: &'a Core,
    begin: &SqlStr,
) -> Result<PageTransaction<'a>, StoreError> {
    let operation = core.handling();
    let connection = retry::read(&operation, || begin_once(&operation, begin)).await?;
    Ok(PageTransaction { connection, core })
}

async fn begin_once<'a>(
    operation: &Operation<'a>,
    begin: &SqlStr,
) -> Result<Leased<'a>, AttemptError> {
    let mut connection = operation.lease().await?;
    connection.begin_page(begin.clone()).await?;
    Ok(connection)
}

/// Returns the begin of a transaction for the handlers of a projection, whose name has been checked.
///
/// Their tables are in the schema of that name, and may use what is in `public`. The settings that suit the statements of this
/// crate do not suit theirs. If the server crashes, effects and checkpoint are lost together, so the commit need not wait for
/// the disk. If this process stops, the server ends the transaction with the lease. It ends a statement whose handler was given
/// up, too: the statement would keep its locks.
pub(super) fn handlers_begin(name: &str, lease: Duration, handler_timeout: Duration) -> SqlStr {
    let lease = milliseconds(lease);
    let statement = milliseconds(handler_timeout.saturating_add(GIVEN_UP));
    let text = format!(
        "begin; set local search_path = \"{name}\", public; set local synchronous_commit = off; \
         set local idle_in_transaction_session_timeout = {lease}; set local statement_timeout = {statement}; \
         set local plan_cache_mode = auto; \
         set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on"
    );
    AssertSqlSafe(text).into_sql_str()
}

impl PageTransaction<'_> {
    /// Returns the connection, for statements of the store itself.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Changes a parked log. Returns `false` if it is not parked where the change says.
    ///
    /// Such a commit waits for the disk. After a crash of the server, a process notices that a step of its checkpoint is lost, but
    /// would not notice that a log is parked again.
    async fn change_parked(
        &mut self,
        name: &str,
        change: &ParkedChange<'_>,
    ) -> Result<bool, Failure> {
        let core = self.core;
        let deadline = core.options.deadline();
        let changed = async {
            sqlx::raw_sql(WAIT_FOR_DISK)
                .execute(self.connection())
                .await?;
            for statement in core.statements.parked.change(name, change) {
                let statement = statement.persistent(core.options.pooler.keeps_statements());
                if statement.execute(self.connection()).await?.rows_affected() != 1 {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let changed = timeout_at(deadline, changed).await;
        let changed = changed.map_err(|_| Failure::Late);
        changed.and_then(|changed| changed.map_err(Failure::Statement))
    }

    /// Commits.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let deadline = self.core.options.deadline();
        let committed = timeout_at(deadline, self.connection.commit_page()).await;
        let committed = committed.map_err(|_| Failure::Late);
        committed
            .and_then(|committed| committed.map_err(Failure::Statement))
            .map_err(commit_error)?;
        self.connection.give_back();
        Ok(())
    }

    /// Rolls back, and keeps the connection if it still works: it may be silent, or busy with the statement of a handler that
    /// was given up.
    pub(super) async fn roll_back(mut self) {
        let rolled_back = tokio::time::timeout(GIVEN_UP, self.connection.roll_back_page()).await;
        if matches!(rolled_back, Ok(Ok(()))) {
            self.connection.give_back();
        }
    }
}

impl ProjectionTransaction<Postgres> for PageTransaction<'_> {
    fn connection(&mut self) -> &mut PgConnection {
        PageTransaction::connection(self)
    }

    async fn settle(mut self, step: &Step<'_>) -> Result<bool, StoreError> {
        let settle = self.core.statements.checkpoints.settle(step);
        let settle = settle.persistent(self.core.options.pooler.keeps_statements());
        let deadline = self.core.options.deadline();
        let settled = timeout_at(deadline, settle.execute(self.connection())).await;
        let settled = settled.map_err(|_| Failure::Late);
        let moved = match settled.and_then(|settled| settled.map_err(Failure::Statement)) {
            Ok(settled) if settled.rows_affected() != 1 => Ok(false),
            Ok(_) => match &step.parked {
                Some(change) => self.change_parked(step.key.name, change).await,
                None => Ok(true),
            },
            Err(failure) => Err(failure),
        };
        match moved {
            Ok(true) => self.commit().await.map(|()| true),
            Ok(false) => {
                self.roll_back().await;
                Ok(false)
            }
            Err(failure) => {
                self.roll_back().await;
                Err(failure.into())
            }
        }
    }

    async fn roll_back(self) {
        PageTransaction::roll_back(self).await;
    }
}

/// Converts the error of a commit: without an answer, it may have been carried out.
fn commit_error(failure: Failure) -> StoreError {
    if failure.leaves_open() {
        StoreError::OutcomeUnknown {
            source: Some(failure.into_source()),
        }
    } else {
        failure.into()
    }
}

/// The place of a transaction for handlers that write elsewhere.
#[derive(Debug)]
pub struct NoTransaction<'a> {
    /// The store of the checkpoint.
    store: &'a PostgresEventStore,
    /// What the handlers get.
    nothing: (),
}

impl ProjectionStore<Elsewhere> for PostgresEventStore {
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
        let core = self.store.core();
        if step.parked.is_some() {
            let begin_text = handlers_begin(step.key.name, step.lease, GIVEN_UP);
            return begin(core, &begin_text).await?.settle(step).await;
        }
        let moved = rows(core, || core.statements.checkpoints.settle_alone(step)).await?;
        Ok(!moved.is_empty())
    }

    async fn roll_back(self) {}
}

impl fmt::Debug for PageTransaction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PageTransaction")
            .finish_non_exhaustive()
    }
}
