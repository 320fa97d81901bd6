//! Opening a database, whatever happened to it in between, and whatever its names are.

use super::{PREFIX, TestStore};
use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::servers;
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, LogManager, LogManagerError, LogManagerOptions,
    LogState, MemoryAggregationCache, PostgresEventStore, PostgresOptions,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use uuid::Uuid;

async fn create(manager: &LogManager<Payment>) -> Result<LogState<PaymentEvent>, LogManagerError> {
    let options = CreateOptions::default();
    manager
        .create(&LogId::new(), &PaymentEvent::Voided, &options)
        .await
}

fn asks_for_migration<T: Debug>(result: &Result<T, LogManagerError>) {
    let Err(LogManagerError::Store(
        error @ StoreError::NotMigrated {
            found: 3,
            needed: 3,
        },
    )) = result
    else {
        panic!("{result:?}");
    };
    let text = error.to_string();
    assert!(
        text.contains("another server") && text.contains("migrate()"),
        "{text}"
    );
}

/// Runs generated statements in a database of the shared server.
async fn run(connect: &PgConnectOptions, sql: String) {
    let mut connection = connect.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_restore_into_another_server_is_noticed_by_new_connections_and_new_stores() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    let application = format!("restored {}", Uuid::now_v7().simple());
    let connect = store.connect.clone().application_name(&application);
    let open = PostgresEventStore::connect_with(connect, store.options.clone())
        .await
        .unwrap();
    let open = payments(open);
    open.reduce(&log_id).await.unwrap();
    create(&open).await.unwrap();

    // The content of a dump from another server, whose connections ended with it.
    let moved = "update meta set system_identifier = system_identifier - 1";
    store.execute(moved).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1";
    sqlx::query(end)
        .bind(&application)
        .execute(&mut store.connection().await)
        .await
        .unwrap();
    asks_for_migration(&open.load(&log_id, 0, 10).await);
    asks_for_migration(&create(&open).await);
    asks_for_migration(
        &open
            .append(
                LogState::at(log_id, 1),
                &refund(1),
                &AppendOptions::default(),
            )
            .await,
    );
    let new = payments(store.another().await);
    asks_for_migration(&new.load(&log_id, 0, 10).await);
    asks_for_migration(&create(&new).await);
    let pool = PgPoolOptions::new().connect_with(store.connect.clone());
    let pooled = PostgresEventStore::from_pool(pool.await.unwrap(), store.options.clone());
    let pooled = payments(pooled.await.unwrap());
    asks_for_migration(&create(&pooled).await);

    store.another().await.migrate().await.unwrap();
    for manager in [open, new, pooled] {
        create(&manager).await.unwrap();
        assert_eq!(manager.load(&log_id, 0, 10).await.unwrap().len(), 2);
    }
    let epochs = "select count(distinct epoch), max(epoch) from events";
    let row = sqlx::query(epochs)
        .fetch_one(&mut store.connection().await)
        .await
        .unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<i32, _>(1)), (2, 2));
}

#[tokio::test]
async fn a_role_that_only_works_with_the_tables_may_call_migrate() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let role = format!("{}_worker", store.options.schema);
    let schema = &store.options.schema;
    let grants = format!(
        "create role {role} login password 'only for this test';
         grant usage on schema {schema} to {role};
         grant select on all tables in schema {schema} to {role};
         grant insert on {schema}.events, {schema}.idempotency_keys to {role}"
    );
    run(&store.connect, grants).await;
    let connect = store.connect.clone().username(&role);
    let connect = connect.password("only for this test");
    let worker = PostgresEventStore::connect_with(connect, store.options.clone())
        .await
        .unwrap();
    worker.migrate().await.unwrap();
    let manager = payments(worker.clone());
    captured(&manager).await;

    let moved = "update meta set system_identifier = system_identifier - 1";
    store.execute(moved).await;
    let refused = worker.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::InsufficientPrivilege { .. })),
        "{refused:?}"
    );
    store.another().await.migrate().await.unwrap();
    worker.migrate().await.unwrap();
    create(&manager).await.unwrap();
    drop((manager, worker));
    run(
        &store.connect,
        format!("drop owned by {role}; drop role {role}"),
    )
    .await;
}

#[tokio::test]
async fn words_of_the_language_are_names_of_schemas_and_those_of_the_server_are_not() {
    let Some(url) = servers::postgres_url() else {
        return;
    };
    let connect: PgConnectOptions = url.parse().unwrap();
    // A database of its own, since these names do not have the prefix of tests.
    let database = format!("{PREFIX}{}", Uuid::now_v7().simple());
    run(&connect, format!("create database {database}")).await;
    let inside = connect.clone().database(&database);
    for schema in ["user", "select", "order", "table", "_", "analyse"] {
        let options = PostgresOptions {
            schema: schema.to_owned(),
            max_connections: 1,
            ..Default::default()
        };
        let store = PostgresEventStore::connect_with(inside.clone(), options).await;
        let store = store.unwrap();
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        let manager = payments(store.clone());
        let log_id = captured(&manager).await;
        assert_eq!(manager.load(&log_id, 0, 10).await.unwrap().len(), 2);
        store.prune_idempotency_keys(Duration::ZERO).await.unwrap();
        store.close().await;
    }
    for schema in [
        "pg_catalog",
        "pg_events",
        "pg_toast",
        "information_schema",
        "",
        "Events",
        "1st",
        "a\"b",
        "naïve",
    ] {
        let options = PostgresOptions {
            schema: schema.to_owned(),
            ..Default::default()
        };
        let refused = PostgresEventStore::connect_with(inside.clone(), options).await;
        assert!(
            matches!(refused, Err(OpenError::InvalidSchema { .. })),
            "{schema}: {refused:?}"
        );
    }
    run(&connect, format!("drop database {database} with (force)")).await;
}

#[tokio::test]
async fn functions_of_others_are_not_called() {
    let Some(url) = servers::postgres_url() else {
        return;
    };
    let connect: PgConnectOptions = url.parse().unwrap();
    let database = format!("{PREFIX}{}", Uuid::now_v7().simple());
    run(&connect, format!("create database {database}")).await;
    run(
        &connect,
        format!(
            "alter database {database} set search_path = public, pg_catalog;
             alter database {database} set standard_conforming_strings = off"
        ),
    )
    .await;
    let inside = connect.clone().database(&database);
    let traps = "
        create function public.clock_timestamp() returns timestamptz language sql as 'select null::timestamptz';
        create function public.octet_length(bytea) returns int language sql as 'select 1 / 0';
        create function public.width_bucket(uuid, uuid[]) returns int language sql as 'select 1 / 0';
        create function public.count() returns bigint language sql as 'select 17::bigint';
        create function public.to_regclass(text) returns regclass language sql as 'select null::regclass'";
    run(&inside, traps.to_owned()).await;
    let store = PostgresEventStore::connect_with(inside.clone(), PostgresOptions::default());
    let store = store.await.unwrap();
    store.migrate().await.unwrap();
    let manager = payments(store.clone());
    let log_id = captured(&manager).await;
    let state = LogState::at(log_id, 1);
    let options = AppendOptions {
        idempotency_key: Some(log_id.to_string()),
        ..Default::default()
    };
    let batch = [refund(1), refund(2), refund(3)];
    manager.append_all(state, &batch, &options).await.unwrap();
    assert_eq!(manager.load(&log_id, 0, 10).await.unwrap().len(), 5);
    store.close().await;
    run(&connect, format!("drop database {database} with (force)")).await;
}

/// Names that not every encoding can express.
mod foreign {
    use eventlogs::codec::{DecodeProblem, StoredPayload};
    use eventlogs::{Aggregate, Event, EventRecord, EventSchema, EventType, LogType};
    use serde::Serializer;

    #[derive(Debug, Clone, Event)]
    pub(super) enum Entry {
        #[event(name = "entry.written")]
        Written { text: String },
    }

    #[derive(Debug, Clone, Default)]
    pub(super) struct 注文;

    impl Aggregate for 注文 {
        type Event = Entry;

        fn apply(&mut self, _: &impl EventRecord<Entry>) {}
    }

    /// The same entries in logs of a kind that the derive would reject.
    #[derive(Debug)]
    pub(super) struct Order(pub(super) Entry);

    impl Event for Order {
        type Codec = <Entry as Event>::Codec;

        const LOG_TYPE: LogType = LogType::new("注文");

        const SCHEMA: &'static [EventSchema] = Entry::SCHEMA;

        fn event_type(&self) -> EventType {
            self.0.event_type()
        }

        fn serialize_payload<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize_payload(serializer)
        }

        fn decode(stored: &StoredPayload<'_>) -> Result<Self, DecodeProblem> {
            Entry::decode(stored).map(Self)
        }
    }

    #[derive(Debug, Clone, Default)]
    pub(super) struct Orders;

    impl Aggregate for Orders {
        type Event = Order;

        fn apply(&mut self, _: &impl EventRecord<Order>) {}
    }
}

fn manager_of<A: Aggregate<Event: Event>>(store: &PostgresEventStore) -> LogManager<A> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store.clone(), cache, LogManagerOptions::default())
}

#[tokio::test]
async fn what_the_encoding_of_a_database_lacks_is_named() {
    use foreign::{Entry, Order, Orders, 注文};
    let Some(url) = servers::postgres_url() else {
        return;
    };
    let connect: PgConnectOptions = url.parse().unwrap();
    let database = format!("{PREFIX}{}", Uuid::now_v7().simple());
    run(
        &connect,
        format!(
            "create database {database} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'"
        ),
    )
    .await;
    let inside = connect.clone().database(&database);
    let store = PostgresEventStore::connect_with(inside.clone(), PostgresOptions::default());
    let store = store.await.unwrap();
    store.migrate().await.unwrap();
    let manager = manager_of::<注文>(&store);
    let log_id = LogId::new();
    let texts = ["plain", "grün", "😀", "a\\u0000b", "\u{0}", "{\"x\""];
    let text = |text: &str| Entry::Written {
        text: text.to_owned(),
    };
    let mut state = manager
        .create(&log_id, &text("first"), &CreateOptions::default())
        .await
        .unwrap();
    for told in texts {
        state = manager
            .append(state, &text(told), &AppendOptions::default())
            .await
            .unwrap();
    }
    let (log, options) = (LogId::new(), CreateOptions::default());
    let refused = manager_of::<Orders>(&store);
    let event = Order(text("of another kind"));
    let refused = refused.create(&log, &event, &options);
    // Sent together with other writes, which must not fail with it.
    let others = (0..5).map(|_| async {
        let log_id = LogId::new();
        let created = manager.create(&log_id, &text("beside"), &options).await;
        created.expect("the name can be stored");
    });
    let (refused, _) = tokio::join!(refused, futures_util::future::join_all(others));
    let Err(LogManagerError::Store(StoreError::UnstorableName { name, .. })) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(name, "注文");
    manager
        .append(state, &text("after"), &AppendOptions::default())
        .await
        .unwrap();
    assert_eq!(manager.load(&log_id, 0, 100).await.unwrap().len(), 8);

    let mut connection = inside.connect().await.unwrap();
    let rows = "select payload ->> 'text', payload is null, jsonb_typeof(payload)
                from eventlogs.readable_events
                where log_id = $1 order by event_index";
    let rows = sqlx::query(rows).bind(log_id.as_uuid());
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    assert_eq!(rows.len(), 8);
    let shown = |index: usize| rows[index].get::<Option<String>, _>(0);
    assert_eq!(shown(1).as_deref(), Some("plain"));
    assert_eq!(shown(2).as_deref(), Some("grün"));
    // A character outside this encoding, and a NUL: both are shown as they are stored.
    for index in [3, 5] {
        assert_eq!(rows[index].get::<&str, _>(2), "string");
    }
    // Text that looks like an escape but is not one.
    assert_eq!(shown(4).as_deref(), Some("a\\u0000b"));
    assert!(rows.iter().all(|row| !row.get::<bool, _>(1)));
    connection.close().await.unwrap();
    store.close().await;
    run(&connect, format!("drop database {database} with (force)")).await;
}

/// All log output of this thread, from any source.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl Everything {
    fn print(&self, write: impl FnOnce(&mut dyn Visit)) {
        struct Fields<'a>(&'a mut String);
        impl Visit for Fields<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, " {}={value:?}", field.name())
                    .expect("writing to a string cannot fail");
            }
        }
        write(&mut Fields(&mut self.0.lock().unwrap()));
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.print(|fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.print(|fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.print(|fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn nothing_secret_is_logged() {
    let everything = Everything::default();
    let guard = tracing::subscriber::set_default(everything.clone());
    let url = servers::postgres_url();
    for url in [
        "postgres://app:hunter2@127.0.0.1:1/db?passwd=hunter2",
        "postgres://app:hunter2@127.0.0.1:1/db?pasword=hunter2&sslmode=disable",
        "postgres://app@127.0.0.1:1/db?hunter2",
        "postgres://app:x?hunter2=1@127.0.0.1:1/db",
        "postgres://app:12#hunter2@127.0.0.1:1/db",
    ] {
        let options = PostgresOptions {
            timeout: Duration::from_millis(200),
            ..Default::default()
        };
        let refused = PostgresEventStore::connect_url_with(url, options).await;
        let error = refused.expect_err("no server listens there");
        assert!(!format!("{error} {error:?} {error:#?}").contains("hunter2"));
    }
    if let Some(url) = url {
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}passwd=hunter2");
        if let Ok(store) = PostgresEventStore::connect(&url).await {
            let _ = payments(store).load(&LogId::new(), 0, 1).await;
        }
    }
    drop(guard);
    let printed = everything.0.lock().unwrap().clone();
    assert!(!printed.contains("hunter2"), "{printed}");
}
