//! The state that the handles on a store and its writer share.

use crate::feed::commits::CommitSignal;
use crate::stores::database::log_types::LogTypes;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::database::telemetry::StoreMetrics;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::columns::PageColumns;
use crate::stores::postgres::event_row::EventColumns;
use crate::stores::postgres::failure::Failure;
use crate::stores::postgres::fence::Fence;
use crate::stores::postgres::keeper::Keeper;
use crate::stores::postgres::migrate;
use crate::stores::postgres::migrations::ELSEWHERE;
use crate::stores::postgres::options::PostgresOptions;
use crate::stores::postgres::pool::ConnectionPool;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::Statements;
use crate::stores::postgres::tail_queue::TailQueue;
use crate::stores::store_id::StoreId;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use tokio::time::Instant;

/// The state that the clones of a store and its writer share.
pub(super) struct Core {
    /// The identity of the store.
    pub(super) id: StoreId,
    /// The connections.
    pub(super) pools: Pools,
    /// The statements for the schema.
    pub(super) statements: Statements,
    /// The schema version of the database, and whether this code can use it.
    pub(super) schema: SchemaVersion,
    /// The event enums that the store is used with.
    pub(super) log_types: LogTypes,
    /// The columns of a page, looked up by name with the first page.
    pub(super) page_columns: OnceLock<PageColumns>,
    /// The columns of the statements for folds, looked up by name with their first rows.
    pub(super) columns: FoldColumns,
    /// The tails that wait for a statement.
    pub(super) tails: TailQueue,
    /// The number of logs that are being read in statements of their own.
    pub(super) streams: AtomicUsize,
    /// Keeps a timer of the runtime due soon.
    pub(super) keeper: Keeper,
    /// Tells readers of the feed that something was committed.
    pub(super) commits: CommitSignal,
    /// What is known about the fence of the feed.
    pub(super) fence: Fence,
    /// The options of the user.
    pub(super) options: PostgresOptions,
    /// The metrics.
    pub(super) metrics: Arc<StoreMetrics>,
}

/// The columns of the statements for folds.
#[derive(Default)]
pub(super) struct FoldColumns {
    pub(super) contents: OnceLock<EventColumns>,
    pub(super) wanted_contents: OnceLock<EventColumns>,
    pub(super) records: OnceLock<EventColumns>,
}

/// The connections of a store, by their purpose, so that nobody waits for those who do something else. With a user's pool they
/// are all the same.
pub(super) struct Pools {
    /// For all operations but the following.
    pub(super) readers: Arc<ConnectionPool>,
    /// For batches.
    pub(super) writers: Arc<ConnectionPool>,
    /// For reading the feed, and for checkpoints.
    pub(super) followers: Arc<ConnectionPool>,
    /// For the transactions of projections.
    pub(super) handlers: Arc<ConnectionPool>,
}

impl Pools {
    /// Waits for the connections in use, and closes all.
    pub(super) async fn close(&self) {
        self.handlers.close().await;
        self.followers.close().await;
        self.writers.close().await;
        self.readers.close().await;
    }
}

impl Core {
    /// Returns an error if this code does not know the tables.
    pub(super) async fn check_schema(&self) -> Result<(), StoreError> {
        if self.schema.is_current() {
            return Ok(());
        }
        let operation = self.reading().for_any_server();
        let found = migrate::find(&operation, &self.options.schema).await?;
        let found = found.usable_version();
        match self.schema.found(found) {
            Err(_) if found == ELSEWHERE => Err(Failure::Elsewhere.into()),
            checked => checked,
        }
    }

    /// Begins an operation over the connections for all operations.
    pub(super) fn reading(&self) -> Operation<'_> {
        self.keeper.touch();
        let options = &self.options;
        Operation::new(&self.pools.readers, options.deadline(), options.patience())
    }

    /// Begins an operation over the connections for all operations, until this deadline.
    pub(super) fn reading_until(&self, deadline: Instant) -> Operation<'_> {
        self.keeper.touch();
        Operation::new(&self.pools.readers, deadline, self.options.patience())
    }

    /// Begins an operation that reads the feed.
    pub(super) fn following(&self) -> Operation<'_> {
        let options = &self.options;
        Operation::new(
            &self.pools.followers,
            options.deadline(),
            options.patience(),
        )
    }

    /// Begins an operation that makes a transaction for handlers.
    pub(super) fn handling(&self) -> Operation<'_> {
        let options = &self.options;
        Operation::new(&self.pools.handlers, options.deadline(), options.patience())
    }

    /// Begins an operation with a long statement: a second attempt during the first one would only wait for its locks.
    pub(super) fn tidying(&self) -> Operation<'_> {
        let options = &self.options;
        let silence = options.patience().max(options.timeout / 2);
        Operation::new(&self.pools.readers, options.deadline(), silence)
    }

    /// Begins the write of a batch until this deadline, over the connections of the writer.
    pub(super) fn writing(&self, deadline: Instant) -> Operation<'_> {
        self.keeper.touch();
        Operation::new(&self.pools.writers, deadline, self.options.patience())
    }
}
