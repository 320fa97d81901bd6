//! Handlers that leave something behind with which the page cannot be committed.

use super::stage::{LEASE, Logs, Stage, stopped, stopping};
use super::totals::{TABLES, add_in_postgres, add_in_sqlite, read_in_sqlite};
use crate::payments::{PaymentEvent, payments};
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use eventlogs::{EventRecord, FeedRecord, Projection, event_handler};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The amount of the event that cannot be handled.
const BAD: u64 = 13;

/// Makes a read model that fails at one event.
macro_rules! failing {
    ($name:ident, $database:ident, $connection:ty, $add:ident) => {
        #[derive(Debug, Clone, Projection)]
        #[projection(name = "failing", events(PaymentEvent), database = $database)]
        struct $name {
            prefix: String,
            /// The statement that the handler runs for the bad event.
            bad: &'static str,
            /// Whether it keeps the error of that statement for itself.
            hides_error: bool,
            is_correct: Arc<AtomicBool>,
        }

        #[event_handler(PaymentEvent, ignore(_))]
        impl $name {
            #[on(Captured)]
            async fn capture(
                &self,
                amount: u64,
                #[record] record: &FeedRecord<PaymentEvent>,
                #[context] db: &mut $connection,
            ) -> sqlx::Result<()> {
                $add(&self.prefix, record.log_id(), amount, db).await?;
                if amount == BAD && !self.is_correct.load(Ordering::SeqCst) {
                    let prefix = sqlx::AssertSqlSafe(self.bad.replace("{prefix}", &self.prefix));
                    let ran = sqlx::query(prefix).execute(&mut *db).await;
                    if !self.hides_error {
                        ran?;
                    }
                }
                Ok(())
            }
        }
    };
}

failing!(PostgresFailing, postgres, PgConnection, add_in_postgres);
failing!(SqliteFailing, sqlite, SqliteConnection, add_in_sqlite);

/// A table whose constraint is checked at the commit.
const DEFERRED: &str = "
    create table parents (id integer primary key);
    create table children (parent integer not null references parents (id) deferrable initially deferred)";
/// A row that violates it.
const ORPHAN: &str = "insert into {prefix}children values (7)";

/// The amounts of a page with one bad event.
fn page() -> Vec<u64> {
    (1..60).map(|n| if n == 41 { BAD } else { 2 }).collect()
}

/// Runs the read model until it stops, checks what is left, corrects it, and checks that it has all.
async fn stops_on_postgres(bad: &'static str, hides_error: bool, reason: &str) {
    let Some(mut stage) = Stage::set(1).await else {
        return;
    };
    stage.server.execute(DEFERRED).await;
    stage.logs.append(&page()).await;
    let is_correct = Arc::new(AtomicBool::new(false));
    let failing = PostgresFailing {
        prefix: stage.prefix(),
        bad,
        hides_error,
        is_correct: Arc::clone(&is_correct),
    };
    let options = SubscriptionOptions {
        handler_timeout: Duration::from_millis(300),
        parked_limit: 0,
        ..SubscriptionOptions::default()
    };
    let subscriptions = Subscriptions::new(&stage.server.store).lease(LEASE);
    let subscriptions = subscriptions.projection_with(failing, options);
    let running = subscriptions.start().await.unwrap();
    let (status, said) = stopped(&running, "failing").await;
    let log_id = stage.logs.states[0].log_id();
    let event = format!("event 41 of log {log_id}");
    assert!(said.contains(&event) && said.contains(reason), "{said}");
    assert_eq!(status.partitions[0].settled, 41, "all before it is settled");
    let left = stage.read().await;
    assert_eq!(
        left.all,
        (1 + 40 * 2, 41),
        "and nothing of it, and nothing after it"
    );
    is_correct.store(true, Ordering::SeqCst);
    running.resume("failing").await.unwrap();
    stage.logs.caught_up(&stage.server.store, "failing").await;
    assert_eq!(stage.read().await, stage.logs.fold().await);
    running.shutdown().await;
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_page_leaves_the_events_before_it() {
    let bad = "select 1 / (select count(*) - count(*) from {prefix}parents)";
    stops_on_postgres(bad, false, "division by zero").await;
}

#[tokio::test]
async fn a_constraint_that_fails_at_the_commit_stops_at_its_event() {
    stops_on_postgres(ORPHAN, false, "children_parent_fkey").await;
}

#[tokio::test]
async fn a_transaction_that_a_handler_leaves_aborted_stops_at_its_event() {
    stops_on_postgres("select no_such_column", true, "aborted").await;
}

/// The rollback must not wait for the statement, and the server must not keep its locks.
#[tokio::test]
async fn a_statement_that_hangs_stops_at_its_event() {
    stops_on_postgres("select pg_sleep(3600)", false, "has not returned").await;
}

/// Runs the read model on SQLite.
async fn stops_on_sqlite(bad: &'static str, hides_error: bool, reason: &str) {
    let file = TemporaryStore::open().await;
    sqlite_file::execute(&file.path(), TABLES).await;
    sqlite_file::execute(&file.path(), DEFERRED).await;
    let mut logs = Logs::new(payments(file.store.clone()), 1).await;
    logs.append(&page()).await;
    let is_correct = Arc::new(AtomicBool::new(false));
    let failing = SqliteFailing {
        prefix: String::new(),
        bad,
        hides_error,
        is_correct: Arc::clone(&is_correct),
    };
    let subscriptions = Subscriptions::new(&file.store).projection_with(failing, stopping());
    let running = subscriptions.start().await.unwrap();
    let (status, said) = stopped(&running, "failing").await;
    let log_id = logs.states[0].log_id();
    let event = format!("event 41 of log {log_id}");
    assert!(said.contains(&event) && said.contains(reason), "{said}");
    assert_eq!(status.partitions[0].settled, 41, "all before it is settled");
    let mut connection = sqlite_file::connect(&file.path()).await;
    let left = read_in_sqlite("", &mut connection).await.unwrap();
    assert_eq!(
        left.all,
        (1 + 40 * 2, 41),
        "and nothing of it, and nothing after it"
    );
    is_correct.store(true, Ordering::SeqCst);
    running.resume("failing").await.unwrap();
    logs.caught_up(&file.store, "failing").await;
    let all = read_in_sqlite("", &mut connection).await.unwrap();
    assert_eq!(all, logs.fold().await);
    connection.close().await.unwrap();
    running.shutdown().await;
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_page_leaves_the_events_before_it_on_sqlite() {
    stops_on_sqlite("select no_such_column", false, "no_such_column").await;
}

#[tokio::test]
async fn a_constraint_that_fails_at_the_commit_stops_at_its_event_on_sqlite() {
    stops_on_sqlite(ORPHAN, false, "FOREIGN KEY").await;
}
