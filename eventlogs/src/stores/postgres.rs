//! The store for services: PostgreSQL 14 or later.

mod append;
mod append_in;
mod connection;
mod error;
mod in_flight;
mod migrate;
mod options;
mod pins;
mod pool;
mod prune;
mod read;
mod refusal;
mod retry;
mod sending;
mod statements;
mod values;
mod writer;

pub use options::PostgresOptions;

use super::log_types::LogTypes;
use super::schema_version::SchemaVersion;
use super::write_queue::WriteQueue;
use super::{
    AppendError, AppendManyRequest, AppendRequest, Appended, EventStore, IdempotencyKey, Page,
    ReadError, ReadRequest, Replay, StoreError,
};
use crate::{Event, LogPosition};
use pool::Connections;
use sqlx::postgres::{PgConnectOptions, PgPool};
use statements::Statements;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Keeps logs in PostgreSQL.
///
/// It is a cheap handle: clone it into as many managers as you like, of any aggregates. They share one gatherer: appends that
/// arrive while others are being written go to the server together, in one statement, each with an answer of its own. A lone
/// append is sent at once. The gatherer is a background task on the runtime that the store was opened on, which must outlive
/// the store's users.
///
/// ```no_run
/// # async fn open() -> Result<(), eventlogs::stores::StoreError> {
/// use eventlogs::PostgresEventStore;
///
/// let store = PostgresEventStore::connect("postgres://app:secret@db.internal/payments").await?;
/// store.migrate().await?;
/// # Ok(()) }
/// ```
///
/// Broken connections are replaced without help. An operation whose connection breaks is tried again until
/// [`PostgresOptions::timeout`]; an append is sent with the same event ids, so that it cannot happen twice.
///
/// It needs a tokio runtime with I/O and timers, and time that passes: a server answers in its own time, so under paused time
/// (`#[tokio::test(start_paused = true)]`) every timeout is over at once. Use [`FakeEventStore`](super::fake::FakeEventStore)
/// there.
#[derive(Clone)]
pub struct PostgresEventStore {
    /// The queue in front of the gatherer, which ends with the last clone.
    writer: Arc<WriteQueue>,
    /// Shared with the gatherer.
    core: Arc<Core>,
}

/// What the clones of a store and its gatherer share.
struct Core {
    /// The connections for everybody.
    readers: Arc<Connections>,
    /// The connections of the gatherer, which then never waits behind the readers; of a user's pool, the same.
    writers: Arc<Connections>,
    /// What is sent over them.
    statements: Statements,
    /// Which schema version the database has, and whether this code can work with it.
    schema: SchemaVersion,
    /// The event enums that the store is used with.
    log_types: LogTypes,
    /// What the user chose.
    options: PostgresOptions,
}

impl Core {
    async fn check_schema(&self) -> Result<(), StoreError> {
        if self.schema.is_current() {
            return Ok(());
        }
        self.schema
            .found(migrate::find(&self.readers, &self.options.schema).await?)
    }

    /// When the time of an operation is over that begins now.
    fn deadline(&self) -> Instant {
        Instant::now() + self.options.timeout
    }
}

impl PostgresEventStore {
    /// Connects to a server, and makes connections as they are needed.
    ///
    /// A database without tables, or with older ones, can be opened; using it wants a call of
    /// [`migrate`](PostgresEventStore::migrate) by somebody.
    ///
    /// # Errors
    /// [`InvalidUrl`](StoreError::InvalidUrl), [`Unavailable`](StoreError::Unavailable),
    /// [`Refused`](StoreError::Refused), [`Tls`](StoreError::Tls), [`NewerSchema`](StoreError::NewerSchema) and
    /// [`MissingRights`](StoreError::MissingRights), as they say themselves; none of them holds the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(connection::parse(url)?, PostgresOptions::default()).await
    }

    /// The same with your own connect options, for what a URL cannot say.
    ///
    /// # Errors
    /// Those of [`connect`](PostgresEventStore::connect), and [`InvalidSchema`](StoreError::InvalidSchema).
    pub async fn connect_with(
        connect: PgConnectOptions,
        options: PostgresOptions,
    ) -> Result<Self, StoreError> {
        // Checked before anybody is bothered.
        let statements = Statements::of(&options.schema)?;
        let (everybody, writer) = connection::settings(connect, &options);
        connection::try_out(&everybody).await?;
        let readers = Connections::new(everybody, options.max_connections);
        let writers = Connections::new(writer, writer::IN_FLIGHT);
        Self::start(Arc::new(readers), Arc::new(writers), statements, options).await
    }

    /// Uses a pool of yours, and its connections as they are set up.
    ///
    /// On your own connections, set `plan_cache_mode=force_generic_plan`: the server otherwise plans the small statements of
    /// this crate anew at every execution.
    ///
    /// # Errors
    /// Those of [`connect_with`](PostgresEventStore::connect_with).
    pub async fn from_pool(pool: PgPool, options: PostgresOptions) -> Result<Self, StoreError> {
        let statements = Statements::of(&options.schema)?;
        let connections = Arc::new(Connections::of_pool(pool));
        Self::start(Arc::clone(&connections), connections, statements, options).await
    }

    async fn start(
        readers: Arc<Connections>,
        writers: Arc<Connections>,
        statements: Statements,
        options: PostgresOptions,
    ) -> Result<Self, StoreError> {
        let schema = SchemaVersion::of_opened(
            migrate::find(&readers, &options.schema).await?,
            migrate::NEEDED,
        )?;
        let core = Arc::new(Core {
            readers,
            writers,
            statements,
            schema,
            log_types: LogTypes::default(),
            options,
        });
        let (writer, jobs) = WriteQueue::new(&core.options.limits);
        writer::start(jobs, Arc::clone(&core));
        let writer = Arc::new(writer);
        Ok(Self { writer, core })
    }

    /// Creates the schema and brings its tables to the version that this code needs. Any number of processes may call it
    /// at once; each step happens once, as a whole or not at all.
    ///
    /// It needs the right to create the schema, or to create tables in one that exists. Afterwards a role with `usage` on
    /// the schema, `select` on its tables and `insert` on `events` and `idempotency_keys` is enough to work.
    ///
    /// # Errors
    /// [`NewerSchema`](StoreError::NewerSchema), [`ForeignTable`](StoreError::ForeignTable) and
    /// [`MissingRights`](StoreError::MissingRights), as they say themselves.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        core.schema
            .found(migrate::migrate(&core.readers, &core.options.schema).await?)
    }

    /// Waits for the operations under way and closes the connections, those of a pool of yours, too. Other handles on this
    /// store get [`Closed`](StoreError::Closed) from then on.
    pub async fn close(&self) {
        self.writer.close().await;
        self.core.writers.close().await;
        self.core.readers.close().await;
    }
}

impl<E: Event> EventStore<E> for PostgresEventStore {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check::<E>()?;
        let options = &core.options;
        self.writer
            .append(&request, &options.limits, options.timeout)
            .await
    }

    async fn append_many(
        &self,
        request: AppendManyRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        request.check_log_types(&core.log_types)?;
        let options = &core.options;
        self.writer
            .append_many(&request, &options.limits, options.timeout)
            .await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check::<E>()?;
        read::page(core, request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::find_key(core, key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        Self::prune_idempotency_keys(self, older_than).await
    }
}

impl fmt::Debug for PostgresEventStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the pool, whose connect options hold the password.
        formatter
            .debug_struct("PostgresEventStore")
            .field("options", &self.core.options)
            .finish_non_exhaustive()
    }
}
