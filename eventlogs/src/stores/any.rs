//! A store that is chosen at run time, by its URL.

mod subscriptions;
mod url;

use crate::cursor::Cursor;
use crate::event::Event;
use crate::feed::commits::Commits;
use crate::feed::contract::EventFeed;
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::head::{FeedHead, FeedHold};
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::EventStore;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::error::open::OpenError;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::fold::{EventFold, Newest};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::list::{ListRequest, LogList};
use crate::stores::page::{Page, ReadRequest};
#[cfg(feature = "postgres")]
use crate::stores::postgres::PostgresEventStore;
use crate::stores::request::{AppendRequest, Appended};
#[cfg(feature = "sqlite")]
use crate::stores::sqlite::SqliteEventStore;
use crate::stores::store_id::StoreId;
use std::ops::Range;
use std::time::Duration;
use url::Place;

/// A store of the database that its URL names. [`connect`] opens one.
///
/// It does what the store in it does. What only one of the databases has, such as
/// [`append_in`](EventStore#implementors) or a projection whose handlers write to that database, is called on the store in it:
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlogs::stores::OpenError> {
/// use eventlogs::AnyEventStore;
///
/// let store = eventlogs::connect("sqlite::memory:").await?;
/// match &store {
///     AnyEventStore::Sqlite(sqlite) => println!("a file, or memory: {sqlite:?}"),
///     other => println!("a server: {other:?}"),
/// }
/// # Ok(()) }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
///
/// A store with options of your own converts into it: `AnyEventStore::from(SqliteEventStore::open_with(path, options).await?)`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyEventStore {
    /// The embedded store.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteEventStore),
    /// The store on PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(PostgresEventStore),
}

/// Opens the store that a URL names, so that a service can be configured with one text.
///
/// | URL | Store |
/// |---|---|
/// | `sqlite:payments.db`, `sqlite:/srv/payments.db`, `sqlite:///srv/payments.db` | [`SqliteEventStore::open`](crate::SqliteEventStore::open): the file is created and migrated if there is none. `%20` in the path stands for a space, and so on. |
/// | `sqlite:payments.db?mode=ro` | [`SqliteEventStore::open_read_only`](crate::SqliteEventStore::open_read_only) |
/// | `sqlite::memory:` | [`SqliteEventStore::in_memory`](crate::SqliteEventStore::in_memory) |
/// | `postgres://user:password@host/database`, `postgresql://…` | [`PostgresEventStore::connect`](crate::PostgresEventStore::connect), with several hosts and parameters as described there. The tables are created by [`migrate`](AnyEventStore::migrate). |
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use eventlogs::{Aggregate, Event, LogManager, LogManagerOptions, MemoryAggregationCache, event_handler, ids::LogId};
/// # #[derive(Debug, Event)] pub enum LampEvent { #[event(name = "lamp.lit")] Lit }
/// # #[derive(Debug, Default, Clone, Aggregate)] #[aggregate(event = LampEvent)] pub struct Lamp { times: u32 }
/// # #[event_handler(LampEvent)] impl Lamp { #[on(Lit)] fn light(&mut self) { self.times += 1; } }
/// let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite::memory:".to_owned());
/// let store = eventlogs::connect(&url).await?;
/// store.migrate().await?;
/// let lamps = LogManager::<Lamp>::new(store.clone(), MemoryAggregationCache::default(), LogManagerOptions::default());
/// # lamps.create(LogId::new(), &LampEvent::Lit, &Default::default()).await?;
/// // … serve requests; answer /readyz with `store.ping()` …
/// store.close().await;
/// # Ok(()) }
/// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
/// # fn main() {}
/// ```
///
/// # Errors
/// - [`InvalidUrl`](OpenError::InvalidUrl) if the text is none of these, or names a database whose feature is not enabled. The error
///   does not repeat the URL, which may hold a password.
/// - Those of the function in the table.
pub async fn connect(url: &str) -> Result<AnyEventStore, OpenError> {
    AnyEventStore::connect(url).await
}

/// Calls a method of the store in `$any`.
macro_rules! on_each {
    ($any:expr, $store:ident => $call:expr) => {
        match $any {
            #[cfg(feature = "sqlite")]
            AnyEventStore::Sqlite($store) => $call,
            #[cfg(feature = "postgres")]
            AnyEventStore::Postgres($store) => $call,
        }
    };
}
use on_each;

impl AnyEventStore {
    /// Opens the store that a URL names, as [`connect`] does.
    ///
    /// # Errors
    /// Those of [`connect`].
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        match url::read(url)? {
            #[cfg(feature = "sqlite")]
            Place::Memory => Ok(SqliteEventStore::in_memory().await?.into()),
            #[cfg(feature = "sqlite")]
            Place::File {
                path,
                is_read_only: false,
            } => Ok(SqliteEventStore::open(path).await?.into()),
            #[cfg(feature = "sqlite")]
            Place::File { path, .. } => Ok(SqliteEventStore::open_read_only(path).await?.into()),
            #[cfg(feature = "postgres")]
            Place::Server => Ok(PostgresEventStore::connect(url).await?.into()),
        }
    }

    /// Creates the tables, or brings them to the version that this code needs; see
    /// [`SqliteEventStore::migrate`](crate::SqliteEventStore::migrate) and
    /// [`PostgresEventStore::migrate`](crate::PostgresEventStore::migrate).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        on_each!(self, store => store.migrate().await)
    }

    /// Checks that the store can read, in one round trip; see
    /// [`SqliteEventStore::ping`](crate::SqliteEventStore::ping) and
    /// [`PostgresEventStore::ping`](crate::PostgresEventStore::ping).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_each!(self, store => store.ping().await)
    }

    /// Finishes the writes in progress, and closes the store for all its handles; see
    /// [`SqliteEventStore::close`](crate::SqliteEventStore::close) and
    /// [`PostgresEventStore::close`](crate::PostgresEventStore::close).
    pub async fn close(&self) {
        on_each!(self, store => store.close().await);
    }
}

#[cfg(feature = "sqlite")]
impl From<SqliteEventStore> for AnyEventStore {
    fn from(store: SqliteEventStore) -> Self {
        Self::Sqlite(store)
    }
}

#[cfg(feature = "postgres")]
impl From<PostgresEventStore> for AnyEventStore {
    fn from(store: PostgresEventStore) -> Self {
        Self::Postgres(store)
    }
}

impl<E: Event> EventStore<E> for AnyEventStore {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        on_each!(self, store => store.append(request).await)
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        on_each!(self, store => EventStore::<E>::append_across(store, request).await)
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        on_each!(self, store => store.read(request).await)
    }

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        on_each!(self, store => store.fold(fold).await)
    }

    async fn fold_all(&self, folds: &mut [&mut dyn EventFold<E>]) -> Vec<Result<(), ReadError>> {
        on_each!(self, store => store.fold_all(folds).await)
    }

    async fn newest(&self, log_id: LogId, most: usize) -> Result<Newest<E>, StoreError> {
        on_each!(self, store => store.newest(log_id, most).await)
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        on_each!(self, store => EventStore::<E>::ends(store, log_ids).await)
    }

    fn store_name(&self) -> &'static str {
        on_each!(self, store => EventStore::<E>::store_name(store))
    }

    fn store_id(&self) -> StoreId {
        on_each!(self, store => EventStore::<E>::store_id(store))
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        on_each!(self, store => store.list(request).await)
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        on_each!(self, store => EventStore::<E>::find_key(store, key).await)
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        on_each!(self, store => store.prune_idempotency_keys(older_than).await)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        // The inherent method, not this method of the trait.
        Self::migrate(self).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Self::ping(self).await
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

impl EventFeed for AnyEventStore {
    async fn head(&self) -> Result<FeedHead, StoreError> {
        on_each!(self, store => store.head().await)
    }

    async fn read_feed(&self, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
        on_each!(self, store => store.read_feed(request).await)
    }

    async fn read_gap(
        &self,
        log_id: LogId,
        indices: Range<u64>,
        wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        on_each!(self, store => store.read_gap(log_id, indices, wanted).await)
    }

    async fn find_place(&self, log_id: LogId, index: u64) -> Result<Option<Cursor>, StoreError> {
        on_each!(self, store => store.find_place(log_id, index).await)
    }

    async fn feed_hold(&self) -> Result<Option<FeedHold>, StoreError> {
        on_each!(self, store => store.feed_hold().await)
    }

    fn feed_name(&self) -> &'static str {
        on_each!(self, store => store.feed_name())
    }

    fn commits(&self) -> Commits {
        on_each!(self, store => store.commits())
    }
}
