//! The public conformance suites, on every store and cache of this crate.

use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::codec::{Json, MsgPack};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, Appended, IdempotencyKey, ListRequest,
    LogList, Page, ReadError, ReadRequest, Replay, StoreError, StoreId,
};
use eventlogs::testing::codec_laws;
use eventlogs::testing::conformance::{AlienEvent, CounterEvent, StrangeEvent};
use eventlogs::testing::{
    aggregation_cache_conformance, decoding_conformance, event_feed_conformance,
    event_store_conformance, subscriptions_conformance,
};
use eventlogs::{
    AnyEventStore, EventStore, LogPosition, MemoryAggregationCache, PostgresEventStore,
    SqliteEventStore,
};
use std::cell::RefCell;
use std::time::Duration;
use tempfile::TempDir;

use crate::postgres::{Behind, TestStore};
use crate::sqlite_file::TemporaryStore;

async fn in_memory() -> SqliteEventStore {
    SqliteEventStore::in_memory().await.expect("SQLite starts")
}

async fn in_file() -> SqliteEventStore {
    thread_local! {
        /// Removed with the thread of the test.
        static FOLDERS: RefCell<Vec<TempDir>> = const { RefCell::new(Vec::new()) };
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteEventStore::open(folder.path().join("events.db")).await;
    FOLDERS.with_borrow_mut(|folders| folders.push(folder));
    store.expect("a new file can be opened")
}

async fn postgres() -> Option<PostgresEventStore> {
    TestStore::new().await.map(|server| server.store)
}

event_store_conformance!(fake_store, async { FakeEventStore::new() });
event_store_conformance!(encoding_fake_store, async { FakeEventStore::encoding() });
event_store_conformance!(sqlite_memory_store, in_memory());
event_store_conformance!(any_sqlite_store, async {
    AnyEventStore::from(in_memory().await)
});
event_store_conformance!(any_postgres_store, optional: async {
    Some(AnyEventStore::from(postgres().await?))
});
event_store_conformance!(sqlite_file_store, TemporaryStore::open());
event_store_conformance!(postgres_store, optional: postgres());
event_store_conformance!(pgbouncer_store, optional: Behind::transaction_mode());

event_feed_conformance!(fake_feed, async { FakeEventStore::<CounterEvent>::new() });
event_feed_conformance!(encoding_fake_feed, async {
    FakeEventStore::<CounterEvent>::encoding()
});
event_feed_conformance!(sqlite_memory_feed, in_memory());
event_feed_conformance!(any_sqlite_feed, async {
    AnyEventStore::from(in_memory().await)
});
event_feed_conformance!(sqlite_file_feed, async {
    TemporaryStore::open().await.kept()
});
event_feed_conformance!(postgres_feed, optional: postgres());
event_feed_conformance!(pgbouncer_feed, optional: async { Some(Behind::transaction_mode().await?.kept()) });

subscriptions_conformance!(fake_subscriptions, async {
    FakeEventStore::<CounterEvent>::new()
});
subscriptions_conformance!(encoding_fake_subscriptions, async {
    FakeEventStore::<CounterEvent>::encoding()
});
subscriptions_conformance!(sqlite_memory_subscriptions, in_memory());
subscriptions_conformance!(any_sqlite_subscriptions, async {
    AnyEventStore::from(in_memory().await)
});
subscriptions_conformance!(sqlite_file_subscriptions, in_file());
subscriptions_conformance!(postgres_subscriptions, optional: postgres());

decoding_conformance!(encoding_fake_decoding, async { EveryEnum::new() });
decoding_conformance!(sqlite_memory_decoding, in_memory());
decoding_conformance!(sqlite_file_decoding, TemporaryStore::open());
decoding_conformance!(postgres_decoding, optional: postgres());

aggregation_cache_conformance!(fake_cache, async { FakeAggregationCache::new() });
aggregation_cache_conformance!(memory_cache, async { MemoryAggregationCache::default() });

codec_laws!(json_laws, Json);
codec_laws!(messagepack_laws, MsgPack);

/// A fake store keeps one enum. Several fakes on the same logs keep several, as the databases do.
struct EveryEnum {
    counter: FakeEventStore<CounterEvent>,
    strange: FakeEventStore<StrangeEvent>,
    alien: FakeEventStore<AlienEvent>,
}

impl EveryEnum {
    fn new() -> Self {
        let counter = FakeEventStore::encoding();
        Self {
            strange: counter.read_as().expect("it encodes"),
            alien: counter.read_as().expect("it encodes"),
            counter,
        }
    }
}

/// Passes everything on to the fake of this enum.
macro_rules! keeps {
    ($($field:ident: $event:ty)*) => {
        $(
            impl EventStore<$event> for EveryEnum {
                async fn append(
                    &self,
                    request: AppendRequest<'_, $event>,
                ) -> Result<Appended<$event>, AppendError> {
                    self.$field.append(request).await
                }

                async fn append_across(
                    &self,
                    request: AppendAcrossRequest<'_>,
                ) -> Result<Vec<LogPosition>, AppendError> {
                    self.$field.append_across(request).await
                }

                async fn read(&self, request: ReadRequest) -> Result<Page<$event>, ReadError> {
                    self.$field.read(request).await
                }

                async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
                    self.$field.ends(log_ids).await
                }

                fn store_id(&self) -> StoreId {
                    self.$field.store_id()
                }

                fn store_name(&self) -> &'static str {
                    self.$field.store_name()
                }

                async fn list(&self, request: ListRequest) -> Result<LogList<$event>, StoreError> {
                    self.$field.list(request).await
                }

                async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
                    self.$field.find_key(key).await
                }

                async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
                    self.$field.prune_idempotency_keys(older_than).await
                }
            }
        )*
    };
}

keeps! {
    counter: CounterEvent
    strange: StrangeEvent
    alien: AlienEvent
}
