//! The store for services: on a real server, beside others, and when connections break.

use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::proxy::Proxy;
use crate::servers;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{
    AppendOptions, CreateOptions, DecideOptions, EventRecord, LogManagerError, LogState,
    PostgresEventStore, PostgresOptions,
};
use futures_util::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row};
use std::time::Duration;
use uuid::Uuid;

/// How the schemas of these tests are called, with the time at which they were made behind it.
const PREFIX: &str = "eventlogs_test_";

/// A store in a schema of its own, and how to get at its tables; nothing if there is no server.
pub(crate) struct TestStore {
    pub(crate) store: PostgresEventStore,
    pub(crate) options: PostgresOptions,
    pub(crate) connect: PgConnectOptions,
}

impl TestStore {
    pub(crate) async fn new() -> Option<Self> {
        Self::with(PostgresOptions::default()).await
    }

    async fn with(options: PostgresOptions) -> Option<Self> {
        let connect: PgConnectOptions = servers::postgres_url()?.parse().expect("a valid URL");
        drop_old_schemas(&connect).await;
        let schema = format!("{PREFIX}{}", Uuid::now_v7().simple());
        let options = PostgresOptions { schema, ..options };
        let store = PostgresEventStore::connect_with(connect.clone(), options.clone())
            .await
            .expect("the server lets us in");
        store
            .migrate()
            .await
            .expect("a fresh schema can be migrated");
        Some(Self {
            store,
            options,
            connect,
        })
    }

    /// Another process's store on the same tables, as far as the server can tell.
    pub(crate) async fn another(&self) -> PostgresEventStore {
        PostgresEventStore::connect_with(self.connect.clone(), self.options.clone())
            .await
            .expect("the server lets us in")
    }

    /// A connection that sees the tables without their schema.
    async fn connection(&self) -> PgConnection {
        let path = [("search_path", &self.options.schema)];
        let connect = self.connect.clone().options(path);
        connect.connect().await.expect("the server lets us in")
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        self.connection()
            .await
            .execute(sql)
            .await
            .expect("the statement is right");
    }

    /// The same store through a network that fails.
    async fn through_proxy(&self, timeout: Duration) -> (Proxy, PostgresEventStore) {
        let server = (self.connect.get_host().to_owned(), self.connect.get_port());
        let proxy = Proxy::in_front_of(server).await;
        let connect = self
            .connect
            .clone()
            .host("127.0.0.1")
            .port(proxy.address.port());
        let options = PostgresOptions {
            timeout,
            ..self.options.clone()
        };
        let store = PostgresEventStore::connect_with(connect, options)
            .await
            .expect("the proxy lets us through");
        (proxy, store)
    }
}

/// Takes away what earlier runs left on a server that lives on. Schemas that are younger than an hour may be in use.
async fn drop_old_schemas(connect: &PgConnectOptions) {
    static ONCE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    ONCE.get_or_init(|| async {
        let hour_ago = uuid::Timestamp::from_unix(
            uuid::NoContext,
            u64::try_from(chrono::Utc::now().timestamp() - 3600).expect("after 1970"),
            0,
        );
        let oldest = format!("{PREFIX}{}", Uuid::new_v7(hour_ago).simple());
        let mut connection = connect.connect().await.expect("the server lets us in");
        let old =
            sqlx::query("select nspname from pg_namespace where nspname like $1 and nspname < $2")
                .bind(format!("{PREFIX}%"))
                .bind(oldest)
                .fetch_all(&mut connection)
                .await
                .expect("the catalogue can be read");
        for row in old {
            let drop = format!("drop schema if exists {} cascade", row.get::<&str, _>(0));
            // Another run may be at it, too.
            let _ = sqlx::raw_sql(AssertSqlSafe(drop))
                .execute(&mut connection)
                .await;
        }
    })
    .await;
}

macro_rules! store_or_return {
    () => {
        match TestStore::new().await {
            Some(store) => store,
            None => return,
        }
    };
}

#[tokio::test]
async fn many_processes_migrate_a_new_schema_once() {
    let store = store_or_return!();
    let options = PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        max_connections: 1,
        ..PostgresOptions::default()
    };
    let starts = join_all((0..10).map(|_| async {
        let store =
            PostgresEventStore::connect_with(store.connect.clone(), options.clone()).await?;
        store.migrate().await?;
        Ok::<_, StoreError>(
            payments(store)
                .create(
                    &LogId::new(),
                    &PaymentEvent::Voided,
                    &CreateOptions::default(),
                )
                .await,
        )
    }))
    .await;
    for start in starts {
        start
            .expect("every process finds the tables")
            .expect("and can use them");
    }
}

#[tokio::test]
async fn a_schema_without_tables_wants_a_migration_by_whomever() {
    let Some(url) = servers::postgres_url() else {
        return;
    };
    let options = PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        ..PostgresOptions::default()
    };
    let connect: PgConnectOptions = url.parse().unwrap();
    let ours = PostgresEventStore::connect_with(connect.clone(), options.clone())
        .await
        .unwrap();
    let manager = payments(ours);
    let log_id = LogId::new();
    for _ in 0..2 {
        let refused = manager
            .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
            .await;
        assert!(
            matches!(
                refused,
                Err(LogManagerError::Store(StoreError::NotMigrated {
                    found: 0,
                    needed: 1
                }))
            ),
            "{refused:?}"
        );
    }
    // Somebody else migrates; we need not start again.
    let theirs = PostgresEventStore::connect_with(connect, options)
        .await
        .unwrap();
    theirs.migrate().await.unwrap();
    theirs
        .migrate()
        .await
        .expect("a second time changes nothing");
    manager
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_schema_of_a_newer_version_or_of_somebody_else_is_refused() {
    let store = store_or_return!();
    store.execute("update meta set schema_version = 99").await;
    let refused =
        PostgresEventStore::connect_with(store.connect.clone(), store.options.clone()).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::NewerSchema {
                found: 99,
                supported: 1
            })
        ),
        "{refused:?}"
    );
    let refused = store.store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::NewerSchema { .. })),
        "{refused:?}"
    );

    store.execute("drop table meta").await;
    let refused = store.another().await.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::ForeignTable { table: "events" })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_restore_into_another_server_begins_a_new_epoch() {
    let store = store_or_return!();
    captured(&payments(store.store.clone())).await;
    store
        .execute("update meta set system_identifier = 17")
        .await;
    store.another().await.migrate().await.unwrap();
    captured(&payments(store.store.clone())).await;
    store.another().await.migrate().await.unwrap();
    let rows = sqlx::query("select epoch, count(*) from events group by epoch order by epoch")
        .fetch_all(&mut store.connection().await)
        .await
        .unwrap();
    let epochs: Vec<(i32, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(epochs, [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn psql_shows_readable_events() {
    let store = store_or_return!();
    let log_id = captured(&payments(store.store.clone())).await;
    // JSON with a NUL character, which jsonb does not know, must not hide the others.
    store.execute(r#"update events set payload = convert_to('{"x":"\u0000"}', 'UTF8') where event_index = 1"#).await;
    let rows = sqlx::query(
        "select log_id, event_type, (payload ->> 'amount')::bigint, log_type from readable_events",
    )
    .fetch_all(&mut store.connection().await)
    .await
    .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].get::<Uuid, _>(0), *log_id.as_uuid());
    assert_eq!(rows[0].get::<&str, _>(1), "payment.requested");
    assert_eq!(rows[0].get::<i64, _>(2), 100);
    assert_eq!(rows[0].get::<Option<&str>, _>(3), Some("Payment"));
    assert_eq!(rows[1].get::<Option<i64>, _>(2), None);
}

#[tokio::test]
async fn a_role_that_may_only_insert_and_select_is_enough() {
    let store = store_or_return!();
    let role = format!("{}_app", store.options.schema);
    let grants = format!(
        "create role {role} login password 'only for this test';
         grant usage on schema {schema} to {role};
         grant select on all tables in schema {schema} to {role};
         grant insert on {schema}.events, {schema}.idempotency_keys to {role}",
        schema = store.options.schema,
    );
    sqlx::raw_sql(AssertSqlSafe(grants))
        .execute(&mut store.connection().await)
        .await
        .unwrap();
    let connect = store
        .connect
        .clone()
        .username(&role)
        .password("only for this test");
    let app = PostgresEventStore::connect_with(connect.clone(), store.options.clone())
        .await
        .unwrap();
    let manager = payments(app);
    let log_id = captured(&manager).await;
    let options = DecideOptions {
        idempotency_key: Some(format!("{log_id}")),
        ..Default::default()
    };
    manager
        .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1), refund(2)]))
        .await
        .unwrap();
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        3
    );

    // What it may not do is refused, with the name of what it may not do it to.
    let elsewhere = PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        ..Default::default()
    };
    let elsewhere = PostgresEventStore::connect_with(connect, elsewhere)
        .await
        .unwrap();
    let refused = elsewhere.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::MissingRights { .. })),
        "{refused:?}"
    );
    let revoke = format!(
        "revoke insert on {}.events from {role}",
        store.options.schema
    );
    sqlx::raw_sql(AssertSqlSafe(revoke))
        .execute(&mut store.connection().await)
        .await
        .unwrap();
    let refused = manager
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::MissingRights { .. }))
        ),
        "{refused:?}"
    );
    let cleanup = format!("drop owned by {role}; drop role {role}");
    let _ = sqlx::raw_sql(AssertSqlSafe(cleanup))
        .execute(&mut store.connection().await)
        .await;
}

#[tokio::test]
async fn a_server_that_only_reads_is_recognised() {
    let store = store_or_return!();
    let log_id = captured(&payments(store.store.clone())).await;
    let standby = store
        .connect
        .clone()
        .options([("default_transaction_read_only", "on")]);
    let standby = PostgresEventStore::connect_with(standby, store.options.clone())
        .await
        .unwrap();
    let manager = payments(standby);
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
    let refused = manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::ReadOnly { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_row_that_somebody_holds_locked_is_waited_for_and_then_reported() {
    let Some(store) = TestStore::with(PostgresOptions {
        lock_timeout: Duration::from_millis(50),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    let mut other = store.connection().await;
    other.execute("begin").await.unwrap();
    sqlx::query(
        "insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch)
         values ($1, 2, gen_random_uuid(), 'payment.voided', 1, 1, '{}', now(), 1)",
    )
    .bind(log_id.as_uuid())
    .execute(&mut other)
    .await
    .unwrap();
    let blocked = manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await;
    assert!(
        matches!(
            blocked,
            Err(LogManagerError::Store(StoreError::Busy { .. }))
        ),
        "{blocked:?}"
    );
    other.execute("rollback").await.unwrap();
    manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let store = store_or_return!();
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    let mut state = LogState::at(log_id, 1);
    let rounds = 60;
    for round in 0..rounds {
        // Once more, so that the statement is prepared on the connection and the lost answer is that of the append.
        manager.reduce(&log_id).await.unwrap();
        let key = (round % 2 == 0).then(|| format!("{log_id}-{round}"));
        let options = AppendOptions {
            idempotency_key: key,
            ..Default::default()
        };
        proxy.lose_next_answer();
        let events =
            vec![PaymentEvent::Captured { amount: round }; 1 + usize::try_from(round % 3).unwrap()];
        state = manager
            .append_all(state, &events, &options)
            .await
            .expect("the library finds the truth");
    }
    assert!(
        proxy.lost_answers() >= rounds,
        "{} answers were lost",
        proxy.lost_answers()
    );
    let records = manager.load(&log_id, 2, 1_000).await.unwrap();
    let amounts: Vec<_> = records
        .iter()
        .map(|record| record.event().clone())
        .collect();
    let expected = (0..rounds).flat_map(|round| {
        vec![PaymentEvent::Captured { amount: round }; 1 + usize::try_from(round % 3).unwrap()]
    });
    assert_eq!(
        amounts,
        expected.collect::<Vec<_>>(),
        "each event exactly once"
    );
    assert_eq!(records.last().map(EventRecord::index), Some(state.index()));
}

#[tokio::test]
async fn without_an_answer_in_time_the_outcome_is_unknown() {
    let store = store_or_return!();
    let (proxy, behind) = store.through_proxy(Duration::from_millis(400)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    proxy.black_hole(true);
    let state = LogState::at(log_id, 1);
    let unknown = manager
        .append(state, &refund(1), &AppendOptions::default())
        .await;
    assert!(
        matches!(
            unknown,
            Err(LogManagerError::Store(StoreError::OutcomeUnknown {
                source: Some(_)
            }))
        ),
        "{unknown:?}"
    );
    // A read cannot have changed anything.
    let unread = manager.reduce(&log_id).await;
    assert!(
        matches!(
            unread,
            Err(LogManagerError::Store(StoreError::Unavailable { .. }))
        ),
        "{unread:?}"
    );
    proxy.black_hole(false);
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
}

#[tokio::test]
async fn ended_sessions_are_replaced() {
    let store = store_or_return!();
    let name = format!("victim of {}", store.options.schema);
    let connect = store.connect.clone().application_name(&name);
    let manager = payments(
        PostgresEventStore::connect_with(connect, store.options.clone())
            .await
            .unwrap(),
    );
    let log_id = captured(&manager).await;
    let mut killer = store.connection().await;
    let working = tokio::spawn({
        let manager = manager.clone();
        async move {
            for _ in 0..30 {
                let options = DecideOptions {
                    max_attempts: 100,
                    ..Default::default()
                };
                manager
                    .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
                    .await
                    .expect("sessions are replaced");
            }
        }
    });
    while !working.is_finished() {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
        )
        .bind(&name)
        .execute(&mut killer)
        .await
        .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    working.await.unwrap();
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        30
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_of_two_serves_two_hundred_tasks() {
    let Some(store) = TestStore::with(PostgresOptions {
        max_connections: 2,
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let manager = payments(store.store.clone());
    let shared = captured(&manager).await;
    let tasks: Vec<_> = (0..200)
        .map(|task| {
            let manager = manager.clone();
            tokio::spawn(async move {
                let log_id = captured(&manager).await;
                let options = AppendOptions {
                    idempotency_key: Some(format!("{log_id}")),
                    ..Default::default()
                };
                let state = LogState::at(log_id, 1);
                manager
                    .append_all(state, &[refund(1), refund(2)], &options)
                    .await
                    .unwrap();
                let replay = manager
                    .append_all(state, &[refund(1), refund(2)], &options)
                    .await;
                assert!(
                    matches!(replay, Err(LogManagerError::IdempotentReplay { .. })),
                    "{replay:?}"
                );
                assert_eq!(manager.load(&log_id, 0, 10).await.unwrap().len(), 4);
                assert_eq!(manager.reduce(&shared).await.unwrap().log_id(), shared);
                if task % 10 == 0 {
                    let options = DecideOptions {
                        max_attempts: 1_000,
                        ..Default::default()
                    };
                    manager
                        .decide(&shared, &options, |_| Ok::<_, ()>([refund(1)]))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        manager.reduce(&shared).await.unwrap().aggregate().refunded,
        20
    );
}

#[tokio::test]
async fn a_pool_of_the_users_works_as_it_is() {
    let store = store_or_return!();
    let pool = PgPoolOptions::new()
        .max_connections(3)
        .connect_with(store.connect.clone())
        .await
        .unwrap();
    let theirs = PostgresEventStore::from_pool(pool.clone(), store.options.clone())
        .await
        .unwrap();
    let log_id = captured(&payments(theirs.clone())).await;
    assert_eq!(
        payments(store.store.clone())
            .reduce(&log_id)
            .await
            .unwrap()
            .aggregate()
            .captured,
        100
    );
    theirs.close().await;
    let late = payments(theirs).reduce(&log_id).await;
    assert!(
        matches!(late, Err(LogManagerError::Store(StoreError::Closed))),
        "{late:?}"
    );
    assert!(pool.is_closed());
}

/// What was asked of the server in this schema since the last look, by the number of executions.
async fn executions(store: &TestStore, connection: &mut PgConnection) -> i64 {
    let count = "select coalesce(sum(calls), 0)::bigint from pg_stat_statements where query like '%' || $1 || '%' \
                 and query not like '%pg_stat_statements%'";
    sqlx::query(count)
        .bind(&store.options.schema)
        .fetch_one(connection)
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn each_operation_is_one_round_trip() {
    let store = store_or_return!();
    let mut connection = store.connection().await;
    if sqlx::raw_sql("create extension if not exists pg_stat_statements with schema public")
        .execute(&mut connection)
        .await
        .is_err()
        || sqlx::query("select 1 from public.pg_stat_statements limit 1")
            .fetch_all(&mut connection)
            .await
            .is_err()
    {
        servers::left_out("counting round trips: the server has no pg_stat_statements");
        return;
    }
    let mut connection = store.connect.connect().await.unwrap();
    let manager = payments(store.store.clone());
    let log_id = LogId::new();
    let mut state = LogState::at(log_id, 0);
    let mut before = executions(&store, &mut connection).await;
    macro_rules! one_round_trip {
        ($what:literal, $operation:expr) => {{
            let result = $operation;
            let after = executions(&store, &mut connection).await;
            assert_eq!(after - before, 1, $what);
            before = after;
            result
        }};
    }
    let event = PaymentEvent::Captured { amount: 1 };
    let requested = PaymentEvent::Requested { amount: 1 };
    one_round_trip!(
        "create",
        manager
            .create(&log_id, &requested, &CreateOptions::default())
            .await
            .unwrap()
    );
    state = one_round_trip!(
        "append",
        manager
            .append(state, &event, &AppendOptions::default())
            .await
            .unwrap()
    );
    let options = AppendOptions {
        idempotency_key: Some(log_id.to_string()),
        ..Default::default()
    };
    one_round_trip!(
        "append_all with a key",
        manager
            .append_all(state, &[event.clone(), event.clone()], &options)
            .await
            .unwrap()
    );
    one_round_trip!("cold reduce", manager.reduce(&log_id).await.unwrap());
    manager.flush_cache().await;
    let warm = one_round_trip!("warm reduce", manager.reduce(&log_id).await.unwrap());
    assert_eq!(warm.applied_events(), 0);
    one_round_trip!("load", manager.load(&log_id, 0, 100).await.unwrap());
    let decided = one_round_trip!(
        "warm decide",
        manager
            .decide(&log_id, &DecideOptions::default(), |_| Ok::<_, ()>([
                refund(0)
            ]))
            .await
            .unwrap()
    );
    assert_eq!(decided.aggregation().through_index(), 4);
    let _ = before;
}

/// The mistakes that one can make with an address, and what they are told.
#[tokio::test]
async fn servers_that_cannot_be_had_are_reported_without_secrets() {
    let unreachable = "postgres://app:hunter2@127.0.0.1:1/payments";
    let malformed = [
        "postgres://app:hunter2@host:notaport/db",
        "mysql://app:hunter2@host/db",
        "app:hunter2",
        "",
    ];
    for url in malformed {
        let error = PostgresEventStore::connect(url).await.unwrap_err();
        assert!(
            matches!(error, StoreError::InvalidUrl { .. }),
            "{url}: {error:?}"
        );
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
    let error = PostgresEventStore::connect(unreachable).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );

    let Some(store) = TestStore::new().await else {
        return;
    };
    let no_database = store.connect.clone().database("no_such_database");
    let tls = store
        .connect
        .clone()
        .ssl_mode(sqlx::postgres::PgSslMode::Require);
    let error = PostgresEventStore::connect_with(no_database, store.options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    let error = PostgresEventStore::connect_with(tls, store.options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Tls { .. }), "{error:?}");
    let schema = PostgresOptions {
        schema: "No; drop table".to_owned(),
        ..PostgresOptions::default()
    };
    let error = PostgresEventStore::connect_with(store.connect.clone(), schema)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::InvalidSchema { .. }),
        "{error:?}"
    );
    let wrong = store
        .connect
        .clone()
        .username("nobody_of_that_name")
        .password("hunter2");
    let error = PostgresEventStore::connect_with(wrong, store.options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}
