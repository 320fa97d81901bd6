//! The public suites, on everything that this crate ships.

use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    MemoryAggregationCache, PostgresEventStore, SqliteEventStore, aggregation_cache_conformance,
    decoding_conformance, event_store_conformance,
};

use crate::postgres::{Behind, TestStore};
use crate::sqlite_file::TemporaryStore;

async fn in_memory() -> SqliteEventStore {
    SqliteEventStore::in_memory().await.expect("SQLite starts")
}

async fn postgres() -> Option<PostgresEventStore> {
    TestStore::new().await.map(|server| server.store)
}

event_store_conformance!(fake_store, async { FakeEventStore::new() });
event_store_conformance!(sqlite_memory_store, in_memory());
event_store_conformance!(sqlite_file_store, TemporaryStore::open());
event_store_conformance!(postgres_store, optional: postgres());
event_store_conformance!(pgbouncer_store, optional: Behind::transaction_mode());

decoding_conformance!(sqlite_memory_decoding, in_memory());
decoding_conformance!(sqlite_file_decoding, TemporaryStore::open());
decoding_conformance!(postgres_decoding, optional: postgres());

aggregation_cache_conformance!(fake_cache, async { FakeAggregationCache::new() });
aggregation_cache_conformance!(memory_cache, async { MemoryAggregationCache::default() });
