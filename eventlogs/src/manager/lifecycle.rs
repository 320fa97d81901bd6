//! From opening a store to closing it.

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::manager::error::LogManagerError;

impl<A: Aggregate> LogManager<A> {
    /// Creates the tables of the store, or brings them to the version that this code needs. They are those of all managers on the
    /// store.
    ///
    /// A role that may not create tables can make this call if there is nothing to change. See
    /// [`PostgresEventStore::migrate`](crate::PostgresEventStore::migrate) and
    /// [`SqliteEventStore::migrate`](crate::SqliteEventStore::migrate).
    ///
    /// # Errors
    /// - [`Store`](LogManagerError::Store) if the database fails, or a newer version of this crate has migrated it.
    pub async fn migrate(&self) -> Result<(), LogManagerError> {
        Ok(self.inner.store.migrate().await?)
    }

    /// Checks that the store can read, in one round trip. For the readiness check of a service. The cache is not asked: without
    /// it, the manager works on.
    ///
    /// # Errors
    /// - [`Store`](LogManagerError::Store) if the database fails, or its tables are not those that this code needs.
    pub async fn ping(&self) -> Result<(), LogManagerError> {
        Ok(self.inner.store.ping().await?)
    }

    /// Writes the aggregates that wait to the cache, finishes the writes in progress, and closes the store, for all managers on
    /// it. From then on, their calls get [`Closed`](crate::stores::StoreError::Closed).
    ///
    /// A process may also end without calling it. What it has written stays. If the future is dropped, the store may be open or
    /// closed.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use eventlogs::{Aggregate, Event, LogManager, LogManagerOptions, MemoryAggregationCache, event_handler, ids::LogId};
    /// # #[derive(Debug, Event)] pub enum LampEvent { #[event(name = "lamp.lit")] Lit }
    /// # #[derive(Debug, Default, Clone, Aggregate)] #[aggregate(event = LampEvent)] pub struct Lamp { times: u32 }
    /// # #[event_handler(LampEvent)] impl Lamp { #[on(Lit)] fn light(&mut self) { self.times += 1; } }
    /// # let store = eventlogs::connect("sqlite::memory:").await?;
    /// let lamps = LogManager::<Lamp>::new(store, MemoryAggregationCache::default(), LogManagerOptions::default());
    /// lamps.migrate().await?;
    /// lamps.ping().await?;
    /// lamps.close().await;
    /// assert!(lamps.ping().await.is_err());
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
    /// # fn main() {}
    /// ```
    pub async fn close(&self) {
        self.flush_cache().await;
        self.inner.store.close().await;
    }
}
