//! What handlers may do in the transaction of a page.

use super::stage::{LEASE, Logs, Stage, stopped, stopping};
use super::totals::{TABLES, Totals, add_in_postgres, add_in_sqlite, read_in_sqlite};
use crate::payments::{PaymentEvent, payments};
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{EventRecord, FeedRecord, Projection, event_handler};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::time::Duration;

/// What a handler adds to the sums and takes back again.
const TAKEN_BACK: u64 = 1_000_000;
/// The amount of an event that cannot be handled.
const BAD: u64 = 13;

/// Makes a read model whose handlers nest transactions.
macro_rules! nested {
    ($name:ident, $database:ident, $connection:ty, $add:ident) => {
        /// Each event is added in a transaction within the transaction of the page, and something else is added and taken back.
        #[derive(Debug, Clone, Projection)]
        #[projection(name = "nested", events(PaymentEvent), database = $database)]
        struct $name {
            prefix: String,
        }

        #[event_handler(PaymentEvent, ignore(_))]
        impl $name {
            #[on(Captured)]
            async fn capture(
                &self,
                amount: u64,
                #[record] record: &FeedRecord<PaymentEvent>,
                #[context] db: &mut $connection,
            ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                let log_id = record.log_id();
                let mut kept = db.begin().await?;
                $add(&self.prefix, log_id, amount, &mut kept).await?;
                let mut taken_back = kept.begin().await?;
                $add(&self.prefix, LogId::new(), TAKEN_BACK, &mut taken_back).await?;
                taken_back.rollback().await?;
                let mut dropped = kept.begin().await?;
                $add(&self.prefix, LogId::new(), TAKEN_BACK, &mut dropped).await?;
                drop(dropped);
                // A statement that fails leaves no trace outside of its savepoint.
                let mut failing = kept.begin().await?;
                let failed = sqlx::query("select no_such_column").execute(&mut *failing);
                failed.await.expect_err("there is no such column");
                drop(failing);
                kept.commit().await?;
                if amount == BAD {
                    return Err("on purpose".into());
                }
                Ok(())
            }
        }
    };
}

nested!(PostgresNested, postgres, PgConnection, add_in_postgres);
nested!(SqliteNested, sqlite, SqliteConnection, add_in_sqlite);

/// Returns the sums of the events before the bad one.
async fn good(logs: &Logs) -> Totals {
    let mut all = logs.fold().await;
    let bad = all.logs.get_mut(&logs.states[0].log_id()).unwrap();
    for sum in [bad, &mut all.all] {
        sum.0 -= i64::try_from(BAD).unwrap() + 1;
        sum.1 -= 2;
    }
    all
}

/// A handler that ends its own transaction does not end that of the page: what it wrote goes with the page.
#[tokio::test]
async fn handlers_nest_transactions_on_postgres() {
    let Some(mut stage) = Stage::set(1).await else {
        return;
    };
    stage.logs.append(&[2, 3, BAD, 1]).await;
    let prefix = stage.prefix();
    let subscriptions = Subscriptions::new(&stage.server.store).lease(LEASE);
    let subscriptions = subscriptions.projection_with(PostgresNested { prefix }, stopping());
    let running = subscriptions.start().await.unwrap();
    let (status, reason) = stopped(&running, "nested").await;
    assert!(reason.contains("on purpose"), "{reason}");
    assert_eq!(status.partitions[0].settled, 3);
    assert_eq!(stage.read().await, good(&stage.logs).await);
    running.shutdown().await;
}

#[tokio::test]
async fn handlers_nest_transactions_on_sqlite() {
    let file = TemporaryStore::open().await;
    sqlite_file::execute(&file.path(), TABLES).await;
    let mut logs = Logs::new(payments(file.store.clone()), 1).await;
    logs.append(&[2, 3, BAD, 1]).await;
    let prefix = String::new();
    let subscriptions =
        Subscriptions::new(&file.store).projection_with(SqliteNested { prefix }, stopping());
    let running = subscriptions.start().await.unwrap();
    let (status, reason) = stopped(&running, "nested").await;
    assert!(reason.contains("on purpose"), "{reason}");
    assert_eq!(status.partitions[0].settled, 3);
    let mut connection = sqlite_file::connect(&file.path()).await;
    let read = read_in_sqlite("", &mut connection).await.unwrap();
    assert_eq!(read, good(&logs).await);
    connection.close().await.unwrap();
    // The connection that writes has no transaction left open.
    logs.append(&[4]).await;
    running.shutdown().await;
}

/// Locks the row of all logs before or after a second one.
#[derive(Debug, Clone, Projection)]
#[projection(name = "one_way", events(PaymentEvent), database = postgres)]
struct OneWay(Crossing);

#[derive(Debug, Clone, Projection)]
#[projection(name = "other_way", events(PaymentEvent), database = postgres)]
struct OtherWay(Crossing);

#[derive(Debug, Clone)]
struct Crossing {
    prefix: String,
}

/// The error of a handler as users define it, which hides that of the driver.
#[derive(Debug)]
enum Wrapped {
    Database(sqlx::Error),
}

impl std::fmt::Display for Wrapped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the handler could not write")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let Self::Database(error) = self;
        Some(error)
    }
}

impl Crossing {
    async fn add(&self, rows: [i32; 2], db: &mut PgConnection) -> Result<(), Wrapped> {
        for row in rows {
            let add = format!(
                "update {}crossing set events = events + 1 where row = $1",
                self.prefix
            );
            let add = sqlx::query(sqlx::AssertSqlSafe(add)).bind(row);
            add.execute(&mut *db).await.map_err(Wrapped::Database)?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

#[event_handler(PaymentEvent, ignore(_))]
impl OneWay {
    #[on(Captured)]
    async fn capture(&self, #[context] db: &mut PgConnection) -> Result<(), Wrapped> {
        self.0.add([1, 2], db).await
    }
}

#[event_handler(PaymentEvent, ignore(_))]
impl OtherWay {
    #[on(Captured)]
    async fn capture(&self, #[context] db: &mut PgConnection) -> Result<(), Wrapped> {
        self.0.add([2, 1], db).await
    }
}

/// Two projections that lock the same rows in opposite order: the server ends one of both, which is tried again.
#[tokio::test]
async fn deadlocks_between_handlers_are_tried_again() {
    let Some(mut stage) = Stage::set(1).await else {
        return;
    };
    let table = "create table crossing (row integer primary key, events integer not null);
                 insert into crossing values (1, 0), (2, 0)";
    stage.server.execute(table).await;
    let crossing = || Crossing {
        prefix: stage.prefix(),
    };
    let subscriptions = Subscriptions::new(&stage.server.store)
        .projection(OneWay(crossing()))
        .projection(OtherWay(crossing()));
    let running = subscriptions.start().await.unwrap();
    for _ in 0..4 {
        stage.logs.append(&[1]).await;
        for name in ["one_way", "other_way"] {
            // So that both begin at the same time.
            stage.logs.caught_up(&stage.server.store, name).await;
        }
    }
    let mut connection = stage.server.connection().await;
    let counts = "select events from crossing order by row";
    let counts: Vec<i32> = sqlx::query_scalar(counts)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(counts, [10, 10], "5 events, for each of both projections");
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    let deadlocks: i64 = sqlx::query_scalar(deadlocks)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(deadlocks > 0, "there was no deadlock");
    running.shutdown().await;
}
