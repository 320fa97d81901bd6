//! The store for services: PostgreSQL 14 or later.

mod address;
mod append;
mod append_in;
mod attempt;
mod bare;
mod batch;
mod catch_up_in;
mod checkpoints;
mod codes;
mod columns;
mod connection;
mod core;
mod error;
mod event_row;
mod failure;
mod feed;
mod fence;
mod fold;
mod following;
mod head;
mod hosts;
mod in_flight;
mod keeper;
mod list;
mod migrate;
mod migrations;
mod names;
mod options;
mod parked;
mod pins;
mod pool;
mod pooler;
mod projection;
mod prune;
mod read;
mod refusal;
mod retry;
mod rows;
mod silence;
pub(crate) mod statements;
mod streaming;
mod tail_queue;
mod tails;
mod taking;
mod telemetry;
mod tls;
mod values;
mod writer;

pub use options::{PostgresOptions, TargetSession};
pub use pooler::Pooler;

use super::EventStore;
use crate::event::Event;
use crate::feed::commits::CommitSignal;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::database::log_types::LogTypes;
use crate::stores::database::queue::WriteQueue;
use crate::stores::database::schema_version::SchemaVersion;
use crate::stores::database::telemetry::StoreMetrics;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::fold::{EventFold, Newest};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::list::{ListRequest, LogList};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::postgres::core::{Core, FoldColumns, Pools};
use crate::stores::postgres::fence::Fence;
use crate::stores::postgres::keeper::Keeper;
use crate::stores::postgres::tail_queue::TailQueue;
use crate::stores::request::{AppendRequest, Appended};
use crate::stores::store_id::StoreId;
use address::Address;
use pool::{ConnectionPool, Generation};
use retry::Operation;
use sqlx::postgres::{PgConnectOptions, PgPool};
use statements::Statements;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How many connections read the feed.
const FOLLOWERS: u32 = 4;
/// How many connections the handlers of projections have.
const HANDLERS: u32 = 4;

/// Keeps logs in PostgreSQL.
///
/// The store is a cheap handle: clone it into any number of managers, of any aggregates. All clones share one writer: appends
/// that arrive while others are in flight are sent together, in one statement, and each append gets its own outcome. A single
/// append is sent immediately. The writer is a background task on the runtime that the store was opened on. That runtime must
/// outlive all users of the store.
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
/// The store replaces broken connections by itself. If the connection of an operation breaks, or is silent for longer than
/// [`PostgresOptions::silence`], the store tries the operation again on a new connection until [`PostgresOptions::timeout`]. An
/// append is sent again with the same event ids, so it cannot happen twice. Once one connection has proved broken or silent, no
/// connection that was made before it is used again. So after a silent fail-over an operation loses one `silence`, not one per
/// idle connection, if the address leads to a server that answers.
///
/// # Several servers
/// An address can name several servers, as for libpq:
/// `postgres://app:secret@one.internal,two.internal:5433/payments?target_session_attrs=read-write`. Each new connection is made
/// to the first server that is acceptable ([`TargetSession`]), so the store finds the server that has taken over. Without
/// `target_session_attrs`, the first server that accepts writes is used; a server that is the only one is used as it is. A
/// store that was opened from a pool uses the server that the pool connects to.
///
#[doc = include_str!("postgres/tls.md")]
///
/// # Time
/// The store needs a tokio runtime with I/O and timers, and time that passes. A server takes real time to answer, so under
/// paused time (`#[tokio::test(start_paused = true)]`) every timeout expires at once. Use
/// [`FakeEventStore`](super::fake::FakeEventStore) there.
#[derive(Clone)]
pub struct PostgresEventStore {
    /// The queue of the writer, which ends with the last clone.
    writer: Arc<WriteQueue>,
    /// Shared with the writer.
    core: Arc<Core>,
}

impl PostgresEventStore {
    /// Connects to a server. Further connections are made when they are needed.
    ///
    /// The sessions of the store have their own settings. One of them is a `search_path` of `pg_catalog` alone, so that no
    /// user-defined function is called in place of a built-in one. Triggers of yours on the tables must therefore name schemas,
    /// or set their own path. If PgBouncer is between the store and the server, set [`PostgresOptions::pooler`].
    ///
    /// A database without tables, or with older ones, can be opened. Some process must call
    /// [`migrate`](PostgresEventStore::migrate) before the store can be used.
    ///
    /// # Errors
    /// - [`InvalidUrl`](OpenError::InvalidUrl): the URL is not an address.
    /// - [`Store`](OpenError::Store) with one of these:
    ///   - [`Unavailable`](StoreError::Unavailable): no server answers.
    ///   - [`AccessDenied`](StoreError::AccessDenied): the server does not let the user in.
    ///   - [`Tls`](StoreError::Tls): no connection with TLS can be made.
    ///   - [`NoPrimary`](StoreError::NoPrimary): none of the servers accepts writes, and one that does is required.
    ///   - [`InsufficientPrivilege`](StoreError::InsufficientPrivilege): the user lacks a privilege.
    ///   - [`NewerSchema`](StoreError::NewerSchema): a newer version of this crate has migrated the database.
    ///
    /// No message contains the password.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::connect_url_with(url, PostgresOptions::default()).await
    }

    /// Connects with options. [`target_session`](PostgresOptions::target_session) takes precedence over the URL.
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
    /// - Those of [`connect`](PostgresEventStore::connect).
    /// - [`InvalidSchema`](OpenError::InvalidSchema): the name of the schema is not a plain identifier, or is one of the
    ///   server's.
    pub async fn connect_url_with(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let Address { servers, target } = address::parse(url)?;
        let target_session = options.target_session.or(target);
        let options = PostgresOptions {
            target_session,
            ..options
        };
        Self::connect_any(servers, options).await
    }

    /// Connects with explicit `PgConnectOptions`, for settings that a URL cannot express.
    ///
    /// # Errors
    /// - Those of [`connect`](PostgresEventStore::connect).
    /// - [`InvalidSchema`](OpenError::InvalidSchema): the name of the schema is not a plain identifier, or is one of the
    ///   server's.
    pub async fn connect_with(
        connect: PgConnectOptions,
        options: PostgresOptions,
    ) -> Result<Self, OpenError> {
        Self::connect_any([connect], options).await
    }

    /// Connects to one of several servers. Each new connection uses the first server that is acceptable
    /// ([`target_session`](PostgresOptions::target_session)), beginning with the server that was used last.
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
        // Checked before any server is contacted.
        let statements = Statements::for_schema(&options.schema)?;
        let servers: Vec<_> = servers.into_iter().collect();
        // A caller that names several servers has a primary among them, and a store exists to write.
        let target = options.target_session.unwrap_or(match servers.len() {
            1 => TargetSession::Any,
            _ => TargetSession::ReadWrite,
        });
        let (everybody, writer) = connection::settings(&servers, target, &statements, &options);
        connection::try_out(&everybody, options.timeout).await?;
        let generation = Generation::default();
        let begin = |lock_timeout| options.pooler.begin(lock_timeout);
        let (most, shared) = (options.max_connections, generation.clone());
        let readers = ConnectionPool::new(
            everybody,
            most,
            shared,
            begin(options.lock_timeout),
            "readers",
        );
        let followers = ConnectionPool::new(
            connection::settings(&servers, target, &statements, &options).0,
            FOLLOWERS,
            generation.clone(),
            begin(options.lock_timeout),
            "followers",
        );
        let handlers = ConnectionPool::new(
            connection::handlers(&servers, target, &statements, &options),
            HANDLERS,
            generation.clone(),
            None,
            "handlers",
        );
        let for_batches = begin(connection::writers_lock_timeout(&options));
        let most = writer::IN_FLIGHT;
        let writers = ConnectionPool::new(writer, most, generation, for_batches, "writers");
        let pools = Pools {
            readers: Arc::new(readers),
            writers: Arc::new(writers),
            followers: Arc::new(followers),
            handlers: Arc::new(handlers),
        };
        Self::start(pools, statements, options).await
    }

    /// Opens a store on a pool of yours, with its connections as they are set up.
    ///
    /// The pool decides which server its connections lead to: `target_session` is ignored, and there is no list of servers. A
    /// pool does not say which of its connections are new, either. So when a connection is silent, the store closes the pool's
    /// idle connections, and it gives back only connections that have answered. Requests that the pool itself makes, for
    /// example when it takes a connection back, are bounded by the pool's own timeouts only: give the pool a short
    /// `acquire_timeout`, and more than one connection.
    ///
    /// On your own connections, set `plan_cache_mode=force_generic_plan`: otherwise the server plans the small statements of
    /// this crate again at every execution. If other users may create functions in the database, set `search_path=pg_catalog`.
    /// A pool that connects to PgBouncer in transaction mode needs [`Pooler::Transaction`]; set `statement_cache_capacity(0)`
    /// and `extra_float_digits(None)` on its connections.
    ///
    /// # Errors
    /// Those of [`connect_with`](PostgresEventStore::connect_with).
    pub async fn from_pool(pool: PgPool, options: PostgresOptions) -> Result<Self, OpenError> {
        let statements = Statements::for_schema(&options.schema)?;
        let begin = options.pooler.begin(options.lock_timeout);
        let connections = Arc::new(ConnectionPool::from_pool(pool, begin));
        let pools = Pools {
            readers: Arc::clone(&connections),
            writers: Arc::clone(&connections),
            followers: Arc::clone(&connections),
            handlers: connections,
        };
        Self::start(pools, statements, options).await
    }

    async fn start(
        pools: Pools,
        statements: Statements,
        options: PostgresOptions,
    ) -> Result<Self, OpenError> {
        let operation = Operation::new(&pools.readers, options.deadline(), options.patience());
        let found = migrate::find(&operation.for_any_server(), &options.schema).await?;
        let schema = SchemaVersion::new(found.usable_version(), migrations::NEEDED)?;
        let metrics = Arc::new(StoreMetrics::new(telemetry::STORE));
        let core = Arc::new(Core {
            id: StoreId::new(),
            pools,
            statements,
            schema,
            log_types: LogTypes::default(),
            page_columns: OnceLock::new(),
            columns: FoldColumns::default(),
            tails: TailQueue::new(metrics.waiting_reads.clone()),
            streams: AtomicUsize::new(0),
            keeper: Keeper::default(),
            commits: CommitSignal::new(),
            fence: Fence::default(),
            options,
            metrics: Arc::clone(&metrics),
        });
        let (writer, jobs) = WriteQueue::new(&core.options.limits, metrics);
        writer::start(jobs, Arc::clone(&core));
        let writer = Arc::new(writer);
        Ok(Self { writer, core })
    }

    /// Returns what the handles share.
    fn core(&self) -> &Core {
        &self.core
    }

    /// Creates the schema and brings its tables to the version that this code needs. Any number of processes may call it at
    /// once; each step happens once, as a whole or not at all.
    ///
    /// It needs the privilege to create the schema, or to create tables in one that exists. Afterwards a role with `usage` on
    /// the schema, `select` on its tables and `insert` on `events` and `idempotency_keys` is enough to work. It also needs the
    /// privilege to execute the schema's function `release_claims`, which all roles have by default. Such a role may call
    /// `migrate`, too: tables that are up to date are not touched. What subscriptions need in addition is in the
    /// [guide](crate::guide::operation#postgresql).
    ///
    /// Call it once after the database has moved to another server, by a dump or by `pg_upgrade`. There the count of
    /// transactions starts again, and the order of all events depends on that count, so a new epoch begins. Until then each
    /// operation returns [`NotMigrated`](StoreError::NotMigrated). A store checks which server it is on when it is opened and
    /// at each new connection that it makes; a store on [a pool of yours](PostgresEventStore::from_pool) only when it is
    /// opened. A role needs the privilege to execute `pg_control_system()` for this check. All roles have it by default;
    /// without it there is no check.
    ///
    /// # Errors
    /// - [`NewerSchema`](StoreError::NewerSchema): a newer version of this crate has migrated the database.
    /// - [`UnrelatedTable`](StoreError::UnrelatedTable): a table with one of the store's names holds something else.
    /// - [`InsufficientPrivilege`](StoreError::InsufficientPrivilege): the role lacks one of the privileges above.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        let operation = core.reading().for_any_server();
        if migrate::is_due(&operation, &core.options.schema).await? {
            // A connection that was idle may be broken, and the steps are not tried again.
            let operation = core.reading().for_any_server().over_new_connections();
            migrate::migrate(&operation, &core.options.schema).await?;
        }
        core.schema.found(migrations::NEEDED)
    }

    /// Checks that the store can read, in one round trip: the server answers, and its tables are those that this code needs. It looks
    /// for a log that does not exist, on the connections that reductions use. For the readiness check of a service.
    ///
    /// # Errors
    /// Those of a read: [`NotMigrated`](StoreError::NotMigrated), [`Closed`](StoreError::Closed), [`Unavailable`](StoreError::Unavailable) and the like.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::ends(core, &[LogId::new()]).await.map(|_| ())
    }

    /// Waits for the operations in progress and closes the connections, also those of a pool of yours. Other handles on this
    /// store get [`Closed`](StoreError::Closed) from then on.
    pub async fn close(&self) {
        self.writer.close().await;
        self.core.pools.close().await;
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
        let core = &self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        if let Some(page) = fold::short_page(core, request).await? {
            return Ok(page);
        }
        read::page(core, request).await
    }

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        let core = &self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        fold::fold(core, fold).await
    }

    async fn fold_all(&self, folds: &mut [&mut dyn EventFold<E>]) -> Vec<Result<(), ReadError>> {
        let core = &self.core;
        let mut checked = core.check_schema().await;
        if checked.is_ok() {
            checked = core.log_types.check(EventEnum::new::<E>());
        }
        if let Err(error) = checked {
            let failed = || Err(ReadError::Store(error.clone()));
            return folds.iter().map(|_| failed()).collect();
        }
        fold::fold_all(core, folds).await
    }

    async fn newest(&self, log_id: LogId, most: usize) -> Result<Newest<E>, StoreError> {
        let core = &self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        let newest = fold::Newest::read(core, log_id, most).await?;
        Ok(Some(Box::new(newest)))
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::ends(core, log_ids).await
    }

    fn store_id(&self) -> StoreId {
        self.core.id
    }

    fn store_name(&self) -> &'static str {
        telemetry::STORE
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        core.log_types.check(EventEnum::new::<E>())?;
        list::page(core, &request, E::LOG_TYPE).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        let core = &*self.core;
        core.check_schema().await?;
        read::find_key(core, key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        Self::prune_idempotency_keys(self, older_than).await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        Self::migrate(self).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Self::ping(self).await
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

impl fmt::Debug for PostgresEventStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool is left out, because its connect options hold the password.
        formatter
            .debug_struct("PostgresEventStore")
            .field("options", &self.core.options)
            .finish_non_exhaustive()
    }
}
