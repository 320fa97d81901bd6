//! The store for services: PostgreSQL 14 or later.

mod address;
mod append;
mod append_in;
mod attempt;
mod batch;
mod codes;
mod columns;
mod connection;
mod core;
mod error;
mod failure;
mod hosts;
mod in_flight;
mod migrate;
mod migrations;
mod names;
mod options;
mod pins;
mod pool;
mod pooler;
mod prune;
mod read;
mod refusal;
mod retry;
mod silence;
mod statements;
mod tls;
mod values;
mod writer;

pub use options::{PostgresOptions, TargetSession};
pub use pooler::Pooler;

use super::EventStore;
use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::database::log_types::LogTypes;
use crate::stores::database::queue::WriteQueue;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::postgres::core::Core;
use crate::stores::request::{AppendRequest, Appended};
use address::Address;
use pool::{ConnectionPool, Generation};
use retry::Operation;
use sqlx::postgres::{PgConnectOptions, PgPool};
use statements::Statements;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Keeps logs in PostgreSQL.
///
/// It is a cheap handle: clone it into as many managers as you like, of any aggregates. They share one gatherer: appends that
/// arrive while others are being written go to the server together, in one statement, each with an answer of its own. A lone
/// append is sent at once. The gatherer is a background task on the runtime that the store was opened on, which must outlive
/// the store's users.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use eventlogs::PostgresEventStore;
///
/// let url = "postgres://app:secret@db.internal/payments?sslmode=verify-full";
/// let store = PostgresEventStore::connect(url).await?;
/// store.migrate().await?;
/// # Ok(()) }
/// ```
///
/// Broken connections are replaced without help. An operation whose connection breaks, or is silent for longer than
/// [`PostgresOptions::silence`], is tried again on a new one until [`PostgresOptions::timeout`]; an append is sent with the
/// same event ids, so that it cannot happen twice. Once one connection has proved broken or silent, none that was made
/// before is used again: after a fail-over that nobody was told of, an operation takes as long as one silence, however many
/// connections were at rest, if the address leads to a server that answers.
///
/// # Several servers
/// An address can name several, as for libpq:
/// `postgres://app:secret@one.internal,two.internal:5433/payments?target_session_attrs=read-write`. Each new connection is
/// made to the first of them that will do ([`TargetSession`]), so that the store finds the one that has taken over. Without
/// `target_session_attrs` that is the first one that writes; a server that stands alone is used as it is. A store that was
/// opened from a pool uses the server that the pool connects to.
///
#[doc = include_str!("postgres/tls.md")]
///
/// # Time
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

impl PostgresEventStore {
    /// Connects to a server, and makes connections as they are needed.
    ///
    /// Its sessions have settings of their own. One of them is a `search_path` of `pg_catalog` alone, so that no function of
    /// somebody else is called in place of one that is built in: triggers of yours on its tables must name schemas, or set
    /// their own path. Behind PgBouncer, say so in [`PostgresOptions::pooler`].
    ///
    /// A database without tables, or with older ones, can be opened; using it wants a call of
    /// [`migrate`](PostgresEventStore::migrate) by somebody.
    ///
    /// # Errors
    /// - [`InvalidUrl`](OpenError::InvalidUrl) if the text is not an address.
    /// - [`Store`](OpenError::Store) with [`Unavailable`](StoreError::Unavailable) if no server answers,
    ///   [`AccessDenied`](StoreError::AccessDenied) if it does not let the user in, [`Tls`](StoreError::Tls),
    ///   [`NoPrimary`](StoreError::NoPrimary), [`InsufficientPrivilege`](StoreError::InsufficientPrivilege), and
    ///   [`NewerSchema`](StoreError::NewerSchema) if a newer version of this crate has migrated the database.
    ///
    /// No message contains the password.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::connect_url_with(url, PostgresOptions::default()).await
    }

    /// The same with options. [`target_session`](PostgresOptions::target_session) counts before what the URL says.
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), eventlogs::stores::OpenError> {
    /// use eventlogs::{PostgresEventStore, PostgresOptions};
    ///
    /// let url = "postgres://app:secret@one.internal,two.internal/payments?target_session_attrs=primary";
    /// let options = PostgresOptions { schema: "payments".to_owned(), ..Default::default() };
    /// let store = PostgresEventStore::connect_url_with(url, options).await?;
    /// # let _ = store; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`connect`](PostgresEventStore::connect), and [`InvalidSchema`](OpenError::InvalidSchema).
    pub async fn connect_url_with(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let Address { servers, target } = address::parse(url)?;
        let target_session = options.target_session.or(target);
        let options = PostgresOptions {
            target_session,
            ..options
        };
        Self::connect_any(servers, options).await
    }

    /// The same with your own connect options, for what a URL cannot say.
    ///
    /// # Errors
    /// Those of [`connect`](PostgresEventStore::connect), and [`InvalidSchema`](OpenError::InvalidSchema).
    pub async fn connect_with(
        connect: PgConnectOptions,
        options: PostgresOptions,
    ) -> Result<Self, OpenError> {
        Self::connect_any([connect], options).await
    }

    /// The same with several servers, of which each new connection uses the first that will do
    /// ([`target_session`](PostgresOptions::target_session)), beginning with the one that did the last time.
    ///
    /// ```no_run
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::sqlx::postgres::PgConnectOptions;
    /// use eventlogs::{PostgresEventStore, PostgresOptions};
    ///
    /// let one: PgConnectOptions = "postgres://app:secret@one.internal/payments".parse()?;
    /// let two = one.clone().host("two.internal");
    /// let store = PostgresEventStore::connect_any([one, two], PostgresOptions::default()).await?;
    /// # let _ = store; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`connect_with`](PostgresEventStore::connect_with).
    pub async fn connect_any(
        servers: impl IntoIterator<Item = PgConnectOptions>,
        options: PostgresOptions,
    ) -> Result<Self, OpenError> {
        // Checked before anybody is bothered.
        let statements = Statements::for_schema(&options.schema)?;
        let servers: Vec<_> = servers.into_iter().collect();
        // Somebody who names several has a primary among them, and a store is there to write.
        let target = options.target_session.unwrap_or(match servers.len() {
            1 => TargetSession::Any,
            _ => TargetSession::ReadWrite,
        });
        let (everybody, writer) = connection::settings(&servers, target, &statements, &options);
        connection::try_out(&everybody, options.timeout).await?;
        let generation = Generation::default();
        let begin = |lock_timeout| options.pooler.begin(lock_timeout);
        let (most, shared) = (options.max_connections, generation.clone());
        let readers = ConnectionPool::new(everybody, most, shared, begin(options.lock_timeout));
        let for_batches = begin(connection::writers_lock_timeout(&options));
        let writers = ConnectionPool::new(writer, writer::IN_FLIGHT, generation, for_batches);
        Self::start(Arc::new(readers), Arc::new(writers), statements, options).await
    }

    /// Uses a pool of yours, and its connections as they are set up.
    ///
    /// Which server they lead to is the pool's affair: `target_session` is not looked at, and there is no list of servers. Nor
    /// does a pool say which of its connections are new: where one of them is silent, its resting ones are closed, and it is
    /// given back only what has answered. What the pool itself asks of a connection, as when it takes one back, has no bound
    /// but its own: give it a short `acquire_timeout`, and more than one connection.
    ///
    /// On your own connections, set `plan_cache_mode=force_generic_plan`: the server otherwise plans the small statements of
    /// this crate anew at every execution. Where anybody may create functions in the database, set `search_path=pg_catalog`.
    /// A pool behind PgBouncer in transaction mode needs [`Pooler::Transaction`]; its own connections want
    /// `statement_cache_capacity(0)` and `extra_float_digits(None)`.
    ///
    /// # Errors
    /// Those of [`connect_with`](PostgresEventStore::connect_with).
    pub async fn from_pool(pool: PgPool, options: PostgresOptions) -> Result<Self, OpenError> {
        let statements = Statements::for_schema(&options.schema)?;
        let begin = options.pooler.begin(options.lock_timeout);
        let connections = Arc::new(ConnectionPool::from_pool(pool, begin));
        Self::start(Arc::clone(&connections), connections, statements, options).await
    }

    async fn start(
        readers: Arc<ConnectionPool>,
        writers: Arc<ConnectionPool>,
        statements: Statements,
        options: PostgresOptions,
    ) -> Result<Self, OpenError> {
        let operation = Operation::new(&readers, options.deadline(), options.patience());
        let found = migrate::find(&operation.for_any_server(), &options.schema).await?;
        let schema = SchemaVersion::new(found.usable_version(), migrations::NEEDED)?;
        let core = Arc::new(Core {
            readers,
            writers,
            statements,
            schema,
            log_types: LogTypes::default(),
            page_columns: OnceLock::new(),
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
    /// the schema, `select` on its tables and `insert` on `events` and `idempotency_keys` is enough to work. Such a role may
    /// call it, too: what is up to date is not touched.
    ///
    /// Call it once after the database has moved to another server, by a dump or by `pg_upgrade`. There transactions are
    /// counted anew, and the order of all events goes by that count, so a new epoch begins. Until then each operation is
    /// refused with [`NotMigrated`](StoreError::NotMigrated). A store looks where it is when it is opened, and at each new
    /// connection that it makes; one on [a pool of yours](PostgresEventStore::from_pool) only when it is opened. A role that
    /// may not execute `pg_control_system()`, as everybody may by default, cannot look.
    ///
    /// # Errors
    /// [`NewerSchema`](StoreError::NewerSchema), [`UnrelatedTable`](StoreError::UnrelatedTable) and
    /// [`InsufficientPrivilege`](StoreError::InsufficientPrivilege), as they say themselves.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        let operation = core.reading().for_any_server();
        if migrate::is_due(&operation, &core.options.schema).await? {
            // A connection that rested may be broken, and the steps are not tried again.
            let operation = core.reading().for_any_server().afresh();
            migrate::migrate(&operation, &core.options.schema).await?;
        }
        core.schema.found(migrations::NEEDED)
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
        core.log_types.check(EventEnum::new::<E>())?;
        let options = &core.options;
        self.writer
            .append(&request, &options.limits, options.timeout)
            .await
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check_all(&request)?;
        let options = &core.options;
        self.writer
            .append_across(&request, &options.limits, options.timeout)
            .await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
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
