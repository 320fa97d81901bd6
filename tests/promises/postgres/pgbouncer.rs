//! The store with PgBouncer, the real program.

use super::{PREFIX, TestStore};
use crate::inline::{forget, tallies};
use crate::kept::Kept;
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::servers::PgBouncer;
use eventlogs::ids::LogId;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, Appended, EventFold, EventStore,
    IdempotencyKey, ListRequest, LogList, Newest, OpenError, Page, ReadError, ReadRequest, Replay,
    StoreError, StoreId,
};
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{
    AppendOptions, CreateOptions, DecideOptions, Event, EventRecord, LogManager, LogManagerError,
    LogPosition, LogState, Pooler, PostgresEventStore, PostgresOptions, ProjectedRow, Rows,
};
use futures_util::future::join_all;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Row};
use std::time::{Duration, Instant};
use uuid::Uuid;

tallies!(
    BouncerTally,
    "promises_bouncer_rows",
    postgres,
    "../inline/on_postgres.sql"
);

const TRANSACTION: [&str; 2] = ["pool_mode = transaction", "default_pool_size = 4"];
const SESSION: [&str; 2] = ["pool_mode = session", "default_pool_size = 40"];
const IGNORE: &str = "ignore_startup_parameters = extra_float_digits,options";

/// Opens a store in a schema of its own, migrated through PgBouncer.
async fn store(bouncer: &PgBouncer, pooler: Pooler) -> PostgresEventStore {
    let store = PostgresEventStore::connect_with(bouncer.connect(), options(pooler)).await;
    let store = store.expect("PgBouncer accepts the connection");
    store
        .migrate()
        .await
        .expect("a fresh schema can be migrated");
    store
}

fn options(pooler: Pooler) -> PostgresOptions {
    PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        timeout: Duration::from_secs(20),
        pooler,
        ..Default::default()
    }
}

/// Runs every operation of a store, in many concurrent tasks.
async fn everything_works(store: &PostgresEventStore) {
    store.migrate().await.expect("the schema is up to date");
    let manager = payments(store.clone());
    join_all((0..40).map(|task| one_of_many(&manager, task))).await;
    // One log that all tasks write to.
    let log_id = captured(&manager).await;
    let decisions = join_all((0..30).map(|_| {
        let manager = manager.clone();
        async move {
            let options = DecideOptions::default();
            let refunded = manager.decide(&log_id, &options, |payment| {
                if payment.refunded < 20 {
                    Ok(vec![refund(1)])
                } else {
                    Err("enough")
                }
            });
            refunded.await.is_ok()
        }
    }))
    .await;
    assert_eq!(decisions.iter().filter(|decided| **decided).count(), 20);
    let payment = manager.reduce(&log_id).await.expect("the log can be read");
    assert_eq!(payment.aggregate().refunded, 20);
    store
        .prune_idempotency_keys(Duration::from_hours(1))
        .await
        .expect("pruning without keys works");
}

async fn one_of_many(manager: &LogManager<Payment>, task: u64) {
    let log_id = captured(manager).await;
    let other = captured(manager).await;
    let key = AppendOptions {
        idempotency_key: Some(format!("{log_id}")),
        ..Default::default()
    };
    let state = LogState::at(log_id, 1);
    let batch = [refund(1), refund(2)];
    let end = manager.append_all(state, &batch, &key).await.unwrap();
    let again = manager.append_all(state, &batch, &key).await;
    assert!(
        matches!(again, Err(LogManagerError::IdempotentReplay { .. })),
        "{again:?}"
    );
    let conflict = manager
        .append(state, &refund(9), &AppendOptions::default())
        .await;
    assert!(
        matches!(conflict, Err(LogManagerError::ConcurrentAppend { .. })),
        "{conflict:?}"
    );
    let together = [(end, [refund(3)]), (LogState::at(other, 1), [refund(3)])];
    manager
        .append_across(together, &AppendOptions::default())
        .await
        .unwrap();
    let payment = manager.reduce(&log_id).await.unwrap();
    assert_eq!(payment.aggregate().refunded, 6, "task {task}");
    let records = manager.load(&log_id, 0, 100).await.unwrap();
    let indices: Vec<_> = records.iter().map(EventRecord::index).collect();
    assert_eq!(indices, [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_transaction_mode_everything_works() {
    let Some(bouncer) = PgBouncer::start(&TRANSACTION).await else {
        return;
    };
    let store = store(&bouncer, Pooler::Transaction).await;
    everything_works(&store).await;
    // The store leaves no settings in the sessions that other clients get.
    let plain = bouncer.connect().extra_float_digits(None);
    for _ in 0..8 {
        let mut connection = plain.connect().await.unwrap();
        let settings = "select current_setting('enable_seqscan'), current_setting('lock_timeout'),
                        current_setting('search_path')";
        let row = sqlx::raw_sql(settings)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        let settings: [&str; 3] = [row.get(0), row.get(1), row.get(2)];
        assert_eq!(settings, ["on", "0", "\"$user\", public"]);
    }
    store.close().await;
}

async fn pool(bouncer: &PgBouncer) -> PgPool {
    let connect = bouncer.connect().extra_float_digits(None);
    let pool = PgPoolOptions::new().max_connections(5);
    pool.connect_with(connect.statement_cache_capacity(0))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_transaction_mode_a_pool_and_a_transaction_of_the_users_work() {
    let Some(bouncer) = PgBouncer::start(&TRANSACTION).await else {
        return;
    };
    let pool = pool(&bouncer).await;
    let store = PostgresEventStore::from_pool(pool.clone(), options(Pooler::Transaction));
    let store = store.await.unwrap();
    store.migrate().await.unwrap();
    everything_works(&store).await;
    let server = TestStore::new().await.unwrap();
    forget::<BouncerTally>(&server).await;
    let rows = Rows::<BouncerTally>::new();
    let running = Subscriptions::new(&store).projection(Rows::<BouncerTally>::new());
    running.start().await.unwrap().shutdown().await;
    let manager = payments(store.clone());
    join_all((0..20).map(|_| async {
        let log_id = captured(&manager).await;
        let state = LogState::at(log_id, 1);
        let options = AppendOptions::default();
        let mut transaction = pool.begin().await.unwrap();
        let state = store
            .append_in(&mut transaction, state, &[refund(1), refund(2)], &options)
            .await
            .unwrap();
        let conflict = store
            .append_in(
                &mut transaction,
                LogState::at(log_id, 1),
                &[refund(9)],
                &options,
            )
            .await;
        assert!(
            matches!(conflict, Err(LogManagerError::ConcurrentAppend { .. })),
            "{conflict:?}"
        );
        store
            .create_in(
                &mut transaction,
                &LogId::new(),
                &PaymentEvent::Voided,
                &CreateOptions::default(),
            )
            .await
            .unwrap();
        let row = store.catch_up_in(&mut transaction, &rows, log_id).await;
        assert_eq!(row.unwrap().unwrap().through(), Some(1));
        transaction.commit().await.unwrap();
        assert_eq!(state.index(), 3);
        let payment = manager.reduce(&log_id).await.unwrap();
        assert_eq!(payment.aggregate().refunded, 3);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_session_mode_everything_works() {
    // With a configuration of PgBouncer for this crate, and without.
    for (ignore, pooler) in [(IGNORE, Pooler::None), ("", Pooler::Session)] {
        let Some(bouncer) = PgBouncer::start(&[SESSION[0], SESSION[1], ignore]).await else {
            return;
        };
        let store = store(&bouncer, pooler).await;
        everything_works(&store).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_refusal_of_startup_parameters_says_what_to_do() {
    let Some(bouncer) = PgBouncer::start(&SESSION).await else {
        return;
    };
    let begun = Instant::now();
    let refused = PostgresEventStore::connect_with(bouncer.connect(), options(Pooler::None)).await;
    let Err(error @ OpenError::Store(StoreError::Pooler { .. })) = &refused else {
        panic!("{refused:?}");
    };
    let text = error.to_string();
    for word in ["PgBouncer", "Pooler", "ignore_startup_parameters"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the write is not repeated"
    );
}

#[tokio::test]
async fn a_store_that_does_not_know_of_transaction_mode_is_told() {
    let configuration = [TRANSACTION[0], "default_pool_size = 1", IGNORE];
    let Some(bouncer) = PgBouncer::start(&configuration).await else {
        return;
    };
    let through = options(Pooler::None);
    let Some(direct) = TestStore::with(through.clone()).await else {
        return;
    };
    let through = PostgresOptions {
        schema: direct.options.schema.clone(),
        ..through
    };
    let mut told = 0;
    for _ in 0..3 {
        let store = PostgresEventStore::connect_with(bouncer.connect(), through.clone());
        let manager = payments(store.await.unwrap());
        let created = manager
            .create(
                &LogId::new(),
                &PaymentEvent::Voided,
                &CreateOptions::default(),
            )
            .await;
        match created {
            Ok(_) => {}
            Err(LogManagerError::Store(error @ StoreError::Pooler { .. })) => {
                assert!(error.to_string().contains("Pooler::Transaction"), "{error}");
                told += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(told > 0, "two clients share one session");
}

/// A store that connects through a PgBouncer, which ends with it.
pub(crate) struct Behind {
    store: PostgresEventStore,
    bouncer: PgBouncer,
}

impl Behind {
    /// Starts one in transaction mode.
    pub(crate) async fn transaction_mode() -> Option<Self> {
        let bouncer = PgBouncer::start(&TRANSACTION).await?;
        let store = store(&bouncer, Pooler::Transaction).await;
        Some(Self { store, bouncer })
    }

    /// Returns the store, with the program.
    pub(crate) fn kept(self) -> Kept<PostgresEventStore> {
        Kept::new(self.store, self.bouncer)
    }
}

impl<E: Event> EventStore<E> for Behind {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        self.store.append(request).await
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        EventStore::<E>::append_across(&self.store, request).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.store.read(request).await
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
