//! The tables of a projection are created once, whole or not at all.

use crate::payments::{PaymentEvent, captured, payments};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::subscriptions::{SubscriptionError, Subscriptions};
use eventlogs::{PostgresEventStore, Projection, event_handler};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, SqliteConnection};
use std::time::Duration;

/// Makes a projection that counts its events.
macro_rules! counting {
    ($type:ident, $name:literal, $database:ident, $connection:ty, $create:literal) => {
        #[derive(Debug, Clone, Projection)]
        #[projection(name = $name, events(PaymentEvent), database = $database, create = $create)]
        struct $type;

        #[event_handler(PaymentEvent, ignore(_))]
        impl $type {
            #[on(Captured)]
            async fn capture(&self, #[context] db: &mut $connection) -> sqlx::Result<()> {
                let count = sqlx::query("update counted set events = events + 1");
                count.execute(db).await.map(|_| ())
            }
        }
    };
    ($type:ident, $name:literal, $database:ident, $connection:ty) => {
        counting! {
            $type, $name, $database, $connection,
            "create table counted (events integer not null); insert into counted values (0)"
        }
    };
}

/// Makes a projection of the same name, whose statements fail half-way.
macro_rules! failing {
    ($type:ident, $name:literal, $database:ident, $connection:ty) => {
        counting! {
            $type, $name, $database, $connection,
            "create table counted (events integer not null); insert into counted values ('many', 3)"
        }
    };
}

// Each test on the shared server has a name of its own: it is the name of the schema.
counting!(Counting, "promises_created", postgres, PgConnection);
failing!(BadCounting, "promises_created", postgres, PgConnection);
counting!(Raced, "promises_raced", postgres, PgConnection);
counting!(Denied, "promises_denied", postgres, PgConnection);
counting!(CountingOnSqlite, "counting", sqlite, SqliteConnection);
failing!(BadOnSqlite, "counting", sqlite, SqliteConnection);

/// Removes what an earlier run has left on a server that lives on.
async fn forget(server: &TestStore, name: &str) {
    let drop = format!("drop schema if exists {name} cascade");
    let mut connection = server.connection().await;
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(drop)))
        .await
        .unwrap();
}

async fn count(server: &TestStore, name: &str) -> i32 {
    let count = format!("select events from {name}.counted");
    let mut connection = server.connection().await;
    sqlx::query_scalar(AssertSqlSafe(count))
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn statements_that_fail_leave_nothing_behind() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, "promises_created").await;
    let bad = Subscriptions::new(&server.store).projection(BadCounting);
    let refused = bad.start().await.expect_err("the statements are wrong");
    let SubscriptionError::Refused { name, source } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(name, "promises_created");
    let text = format!("{refused}: {:?}", std::error::Error::source(source));
    assert!(
        text.contains("correct them") && text.contains("INSERT has more"),
        "{text}"
    );
    assert!(server.store.status_of_all().await.is_empty());
    let mut connection = server.connection().await;
    let left = "select count(*) from pg_namespace where nspname = 'promises_created'";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, 0, "no schema is left");
    let running = Subscriptions::new(&server.store).projection(Counting);
    let running = running.start().await.unwrap();
    let log_id = captured(&payments(server.store.clone())).await;
    let state = eventlogs::LogPosition::at(log_id, 1);
    let settled = running.wait_for("promises_created", state, Duration::from_secs(20));
    settled.await.unwrap();
    running.shutdown().await;
    // They run only once.
    let again = Subscriptions::new(&server.store).projection(Counting);
    again.start().await.unwrap().shutdown().await;
    assert_eq!(count(&server, "promises_created").await, 1);
    forget(&server, "promises_created").await;
}

/// Several processes start at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_processes_one_creates_the_tables() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, "promises_raced").await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = server.another().await;
        starts.spawn(async move {
            let running = Subscriptions::new(&store).projection(Raced);
            running.start().await
        });
    }
    let started = starts.join_all().await;
    captured(&payments(server.store.clone())).await;
    for running in started {
        running.expect("every process starts").shutdown().await;
    }
    let running = Subscriptions::new(&server.store).projection(Raced);
    let running = running.start().await.unwrap();
    let log_id = captured(&payments(server.store.clone())).await;
    let state = eventlogs::LogPosition::at(log_id, 1);
    let settled = running.wait_for("promises_raced", state, Duration::from_secs(20));
    settled.await.unwrap();
    running.shutdown().await;
    assert_eq!(count(&server, "promises_raced").await, 2);
    forget(&server, "promises_raced").await;
}

#[tokio::test]
async fn a_user_who_may_not_create_the_schema_is_told_so() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, "promises_denied").await;
    let schema = &server.options.schema;
    let role = format!("{schema}_reader");
    let grants = format!(
        "create role {role} login password 'only for this test';
         grant usage on schema {schema} to {role};
         grant select, insert, update, delete on all tables in schema {schema} to {role}"
    );
    let run = async |text: String| {
        let mut connection = server.connect.connect().await.unwrap();
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(text)))
            .await
            .unwrap();
    };
    run(grants).await;
    let connect = server
        .connect
        .clone()
        .username(&role)
        .password("only for this test");
    let store = PostgresEventStore::connect_with(connect, server.options.clone());
    let store = store.await.unwrap();
    let denied = Subscriptions::new(&store).projection(Denied).start().await;
    let denied = denied
        .expect_err("the role may not create schemas")
        .to_string();
    for part in ["promises_denied", "grant", "`create` on the database"] {
        assert!(denied.contains(part), "{denied}");
    }
    // The other way that the message names.
    run(format!(
        "create schema promises_denied authorization {role}"
    ))
    .await;
    let running = Subscriptions::new(&store).projection(Denied).start().await;
    running.unwrap().shutdown().await;
    store.close().await;
    forget(&server, "promises_denied").await;
    run(format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn statements_that_fail_leave_nothing_behind_on_sqlite() {
    let file = TemporaryStore::open().await;
    let bad = Subscriptions::new(&file.store).projection(BadOnSqlite);
    let refused = bad.start().await.expect_err("the statements are wrong");
    assert!(
        matches!(refused, SubscriptionError::Refused { .. }),
        "{refused:?}"
    );
    let other = eventlogs::SqliteEventStore::open(file.path())
        .await
        .unwrap();
    let (one, two) = tokio::join!(
        Subscriptions::new(&file.store)
            .projection(CountingOnSqlite)
            .start(),
        Subscriptions::new(&other)
            .projection(CountingOnSqlite)
            .start(),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    let log_id = captured(&payments(file.store.clone())).await;
    let state = eventlogs::LogPosition::at(log_id, 1);
    for running in [one, two] {
        let settled = running.wait_for("counting", state, Duration::from_secs(20));
        settled.await.unwrap();
        running.shutdown().await;
    }
    let mut connection = crate::sqlite_file::connect(&file.path()).await;
    let count = "select events from counted";
    let count: i32 = sqlx::query_scalar(count)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(count, 1);
}

/// The names of all subscriptions of a store.
trait StatusOfAll {
    async fn status_of_all(&self) -> Vec<String>;
}

impl<S: eventlogs::projection::CheckpointStore> StatusOfAll for S {
    async fn status_of_all(&self) -> Vec<String> {
        let states = self.partitions(None).await.unwrap();
        states.into_iter().map(|state| state.name).collect()
    }
}
