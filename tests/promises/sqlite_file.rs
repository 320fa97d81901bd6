//! The embedded store as a file: opening, migrating, sharing, closing, and what other programs see.

mod copies;
mod feed;
mod paths;
mod program;
mod read_only;
mod replaced;

use crate::kept::Kept;
use crate::payments::{Payment, PaymentEvent, payments};
use eventlogs::ids::LogId;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, Appended, EventFold, IdempotencyKey,
    ListRequest, LogList, Newest, OpenError, Page, ReadError, ReadRequest, ReadStart, Replay,
    StoreError, StoreId,
};
use eventlogs::{
    AppendOptions, CreateOptions, Event, EventStore, LogManagerError, LogPosition, Metadata,
    SqliteEventStore, SqliteOptions,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A store in a folder that is removed with it.
pub(crate) struct TemporaryStore {
    /// The store.
    pub(crate) store: SqliteEventStore,
    /// Removed on drop.
    folder: TempDir,
}

impl TemporaryStore {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = SqliteEventStore::open(folder.path().join("events.db"))
            .await
            .expect("a new file can be opened");
        Self { store, folder }
    }

    /// Returns the store, with the folder.
    pub(crate) fn kept(self) -> Kept<SqliteEventStore> {
        Kept::new(self.store, self.folder)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("events.db")
    }
}

impl<E: Event> EventStore<E> for TemporaryStore {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        self.store.append(request).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.store.read(request).await
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        EventStore::<E>::append_across(&self.store, request).await
    }

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        self.store.fold(fold).await
    }

    async fn fold_all(&self, folds: &mut [&mut dyn EventFold<E>]) -> Vec<Result<(), ReadError>> {
        self.store.fold_all(folds).await
    }

    async fn newest(&self, log_id: LogId, most: usize) -> Result<Newest<E>, StoreError> {
        self.store.newest(log_id, most).await
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        EventStore::<E>::ends(&self.store, log_ids).await
    }

    fn store_id(&self) -> StoreId {
        EventStore::<E>::store_id(&self.store)
    }

    fn store_name(&self) -> &'static str {
        EventStore::<E>::store_name(&self.store)
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        self.store.list(request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        EventStore::<E>::find_key(&self.store, key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        EventStore::<E>::prune_idempotency_keys(&self.store, older_than).await
    }
}

/// Opens another program's connection to a file.
pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .expect("the file can be opened")
}

pub(crate) async fn execute(path: &Path, sql: &'static str) {
    sqlx::raw_sql(sql)
        .execute(&mut connect(path).await)
        .await
        .expect("the statement is right");
}

#[tokio::test]
async fn events_outlive_the_process_that_wrote_them() {
    let file = TemporaryStore::open().await;
    let log_id = LogId::new();
    payments(file.store.clone())
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 5 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    file.store.close().await;

    let reopened = SqliteEventStore::open(file.path()).await.unwrap();
    let payment = payments(reopened).reduce(&log_id).await.unwrap();
    assert_eq!(payment.aggregate().requested, 5);
}

#[tokio::test]
async fn several_stores_on_one_file_share_its_logs() {
    let file = TemporaryStore::open().await;
    let second = SqliteEventStore::open(file.path()).await.unwrap();
    let (one, other) = (payments(file.store.clone()), payments(second));
    let log_id = LogId::new();
    let state = one
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 5 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    other
        .append(
            state,
            &PaymentEvent::Captured { amount: 5 },
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    let lost = one
        .append(state, &PaymentEvent::Voided, &AppendOptions::default())
        .await;
    assert!(
        matches!(
            lost,
            Err(LogManagerError::ConcurrentAppend { event_index: 1, .. })
        ),
        "{lost:?}"
    );
    assert_eq!(one.reduce(&log_id).await.unwrap().aggregate().captured, 5);
}

#[tokio::test]
async fn many_openers_of_a_new_file_migrate_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let openers: Vec<_> = (0..8)
        .map(|_| tokio::spawn(SqliteEventStore::open(path.clone())))
        .collect();
    for opener in openers {
        let store = opener
            .await
            .unwrap()
            .expect("every caller that opens the file can use it");
        payments(store)
            .create(
                &LogId::new(),
                &PaymentEvent::Voided,
                &CreateOptions::default(),
            )
            .await
            .unwrap();
    }
    let mut connection = connect(&path).await;
    let count = sqlx::query("select count(*) from events")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(count.get::<i64, _>(0), 8);
}

/// A connection that gives a file its write-ahead log reads first. SQLite does not let such a connection wait for one that
/// writes, as several that open a new file do.
#[tokio::test]
async fn a_file_that_gets_its_log_is_opened_after_who_writes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    execute(&path, "create table customers (name text)").await;
    let mut other = connect(&path).await;
    sqlx::raw_sql("begin immediate")
        .execute(&mut other)
        .await
        .unwrap();

    let options = SqliteOptions {
        busy_timeout: Duration::from_millis(20),
        ..Default::default()
    };
    let refused = SqliteEventStore::open_with(&path, options).await;
    assert!(
        matches!(refused, Err(OpenError::Store(StoreError::Busy { .. }))),
        "{refused:?}"
    );

    let opened = tokio::spawn(SqliteEventStore::open(path));
    tokio::time::sleep(Duration::from_millis(50)).await;
    sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
    opened
        .await
        .unwrap()
        .expect("the other connection has ended its transaction");
}

#[tokio::test]
async fn a_file_with_the_users_own_tables_wants_an_explicit_migration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    execute(&path, "create table customers (name text)").await;

    let store = SqliteEventStore::open(&path)
        .await
        .expect("the file can be opened");
    let payments = payments(store.clone());
    let refused = payments
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::NotMigrated {
                found: 0,
                needed: 2
            }))
        ),
        "{refused:?}"
    );
    store
        .migrate()
        .await
        .expect("the tables are created next to the user's");
    store
        .migrate()
        .await
        .expect("a second migration changes nothing");
    payments
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    let customers = sqlx::query("select count(*) from customers")
        .fetch_one(&mut connect(&path).await)
        .await;
    assert!(customers.is_ok(), "the user's table still exists");
}

#[tokio::test]
async fn a_file_whose_tables_have_our_names_is_left_alone() {
    for table in [
        "create table events (id int)",
        "create table meta (id int)",
        "create table idempotency_keys (id int)",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        execute(&path, table).await;
        let store = SqliteEventStore::open(&path)
            .await
            .expect("the file can be opened");
        let refused = store.migrate().await;
        assert!(
            matches!(refused, Err(StoreError::UnrelatedTable { .. })),
            "{table}: {refused:?}"
        );
    }
}

/// The tables of version 1 had no subscriptions.
#[tokio::test]
async fn a_file_of_an_older_version_is_migrated_and_keeps_its_events() {
    let file = TemporaryStore::open().await;
    let log_id = LogId::new();
    let voided = PaymentEvent::Voided;
    let options = CreateOptions::default();
    let first = payments(file.store.clone());
    let state = first.create(&log_id, &voided, &options).await.unwrap();
    file.store.close().await;
    let path = file.path();
    for statement in [
        "drop table subscriptions",
        "drop table checkpoints",
        "drop table parked_logs",
        "drop table skipped_events",
        "drop table row_keys",
        "update meta set schema_version = 1",
        "create table checkpoints (mine text)",
    ] {
        execute(&path, statement).await;
    }
    let old = SqliteEventStore::open(&path).await.unwrap();
    let refused = eventlogs::EventFeed::head(&old).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::NotMigrated {
                found: 1,
                needed: 2
            })
        ),
        "{refused:?}"
    );
    let refused = old.migrate().await;
    assert!(
        matches!(
            refused,
            Err(StoreError::UnrelatedTable {
                table: "checkpoints",
                ..
            })
        ),
        "{refused:?}"
    );
    execute(&path, "drop table checkpoints").await;
    old.migrate().await.unwrap();
    let payments = payments(old);
    let none = AppendOptions::default();
    payments.append(state, &voided, &none).await.unwrap();
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(payment.through_index(), 1);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let file = TemporaryStore::open().await;
    file.store.close().await;
    execute(&file.path(), "update meta set schema_version = 99").await;
    let refused = SqliteEventStore::open(file.path()).await;
    assert!(
        matches!(
            refused,
            Err(OpenError::Store(StoreError::NewerSchema {
                found: 99,
                supported: 2
            }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_database_shell_shows_readable_events() {
    let file = TemporaryStore::open().await;
    let log_id = LogId::new();
    payments(file.store.clone())
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 5 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    let row = sqlx::query(
        "select log_id, event_type, payload, log_type, recorded_at from readable_events",
    )
    .fetch_one(&mut connect(&file.path()).await)
    .await
    .unwrap();
    assert_eq!(row.get::<String, _>(0), log_id.to_string());
    assert_eq!(row.get::<&str, _>(1), "payment.requested");
    assert_eq!(row.get::<&str, _>(2), r#"{"amount":5}"#);
    assert_eq!(row.get::<&str, _>(3), "payment");
    assert!(row.get::<String, _>(4).ends_with('Z'));
}

#[tokio::test]
async fn what_was_queued_before_close_is_written_and_what_comes_later_is_refused() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let ids: Vec<_> = (0..50).map(|_| LogId::new()).collect();
    let writes = ids.iter().map(|id| {
        let (payments, id) = (payments.clone(), *id);
        tokio::spawn(async move {
            payments
                .create(&id, &PaymentEvent::Voided, &CreateOptions::default())
                .await
        })
    });
    let writes: Vec<_> = writes.collect();
    tokio::task::yield_now().await;
    file.store.close().await;
    let mut acknowledged = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => acknowledged += 1,
            Err(error) => assert!(
                matches!(error, LogManagerError::Store(StoreError::Closed)),
                "{error:?}"
            ),
        }
    }
    let late = payments
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(late, Err(LogManagerError::Store(StoreError::Closed))),
        "{late:?}"
    );
    let late = payments.reduce(&ids[0]).await;
    assert!(
        matches!(late, Err(LogManagerError::Store(StoreError::Closed))),
        "{late:?}"
    );

    let mut connection = connect(&file.path()).await;
    let stored = sqlx::query("select count(*) from events")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(stored.get::<i64, _>(0), acknowledged);
}

#[tokio::test]
async fn one_store_serves_managers_of_several_aggregates() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let counters = eventlogs::LogManager::<eventlogs::testing::conformance::Counter>::new(
        file.store.clone(),
        eventlogs::MemoryAggregationCache::default(),
        eventlogs::LogManagerOptions::default(),
    );
    let (payment, counter) = (LogId::new(), LogId::new());
    let added = eventlogs::testing::conformance::CounterEvent::Added { amount: 2 };
    payments
        .create(
            &payment,
            &PaymentEvent::Requested { amount: 5 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    counters
        .create(&counter, &added, &CreateOptions::default())
        .await
        .unwrap();
    assert_eq!(
        payments.reduce(&payment).await.unwrap().aggregate(),
        &Payment {
            requested: 5,
            ..Payment::default()
        }
    );
    assert_eq!(
        counters.reduce(&counter).await.unwrap().aggregate().total,
        2
    );
}

#[tokio::test]
async fn metadata_counts_in_the_size_of_a_page() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let log_id = LogId::new();
    let state = payments
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    let options = AppendOptions {
        metadata: Metadata::new().with("note", "x".repeat(7_000)),
        ..AppendOptions::default()
    };
    let events = vec![PaymentEvent::Voided; 900];
    payments.append_all(state, &events, &options).await.unwrap();
    let request = ReadRequest::new(log_id, ReadStart::Index(0), 10_000);
    let page: Page<PaymentEvent> = file.store.read(request).await.unwrap();
    assert!(
        page.more && page.records.len() < 700,
        "{}",
        page.records.len()
    );
    let all = payments.load(&log_id, 0, 10_000).await.unwrap();
    assert_eq!(all.len(), 901);
}
