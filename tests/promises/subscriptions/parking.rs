//! Parked logs of a read model that adds up, while its processes are killed.

use super::processes::{PLACE, Place, Runner};
use super::stage::{LEASE, Logs, PATIENCE};
use super::totals::{Totals, add_in_postgres, add_in_sqlite};
use crate::payments::{PaymentEvent, payments};
use crate::sqlite_file;
use eventlogs::projection::{CheckpointStore, ParkedWish, ProjectionStore};
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{
    EventRecord, FeedRecord, PostgresEventStore, PostgresOptions, Projection, SqliteEventStore,
    event_handler,
};
use sqlx::{AssertSqlSafe, PgConnection, Row, SqliteConnection};
use std::error::Error;
use std::time::{Duration, Instant};

/// The name of the subscription.
const NAME: &str = "parking";
/// The amount of an event that cannot be handled before the correction.
const BAD: u64 = 13;
/// The table that has a row after the correction.
const CORRECTED: &str = "create table corrected (at integer not null)";

/// Makes the read model for one database.
macro_rules! parking {
    ($name:ident, $database:ident, $connection:ty, $add:ident) => {
        #[derive(Debug, Clone, Projection)]
        #[projection(name = "parking", events(PaymentEvent), database = $database)]
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
            ) -> Result<(), Box<dyn Error + Send + Sync>> {
                // The sums are wrong if this is not rolled back.
                $add(&self.prefix, record.log_id(), amount, db).await?;
                let corrected = format!("select count(*) from {}corrected", self.prefix);
                let corrected = sqlx::query(AssertSqlSafe(corrected)).fetch_one(db).await?;
                if amount == BAD && corrected.get::<i64, _>(0) == 0 {
                    return Err("on purpose".into());
                }
                Ok(())
            }
        }
    };
}

parking!(PostgresParking, postgres, PgConnection, add_in_postgres);
parking!(SqliteParking, sqlite, SqliteConnection, add_in_sqlite);

/// The work of a child process. When run as a test, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    match place.split_once(' ').unwrap() {
        ("sqlite", path) => {
            let store = SqliteEventStore::open(path).await.unwrap();
            let prefix = String::new();
            run(&store, SqliteParking { prefix }).await;
        }
        (_, rest) => {
            let (schema, url) = rest.split_once(' ').unwrap();
            let prefix = format!("{schema}.");
            let options = PostgresOptions {
                schema: schema.to_owned(),
                max_connections: 4,
                ..PostgresOptions::default()
            };
            let store = PostgresEventStore::connect_url_with(url, options).await;
            run(&store.unwrap(), PostgresParking { prefix }).await;
        }
    }
}

async fn run<S, P>(store: &S, projection: P)
where
    S: ProjectionStore<P::Database>,
    P: Projection,
{
    let subscriptions = Subscriptions::new(store).lease(LEASE);
    let _running = subscriptions.projection(projection).start().await.unwrap();
    std::future::pending::<()>().await;
}

/// Waits until this number of logs is parked.
async fn wait_for_parked(store: &impl CheckpointStore, number: usize) {
    let begun = Instant::now();
    loop {
        let parked = store.parked(NAME).await.unwrap();
        if parked.len() == number {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{parked:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Appends to the logs while the processes are killed, one after the other.
async fn append_and_kill(place: &Place, logs: &mut Logs, runners: &mut Vec<Runner>) {
    for round in 0..3 {
        logs.append_for(Duration::from_millis(200 + round * 37))
            .await;
        runners.remove(0);
        runners.push(Runner::of(place, "subscriptions::parking::child"));
    }
}

/// Compares the sums of all logs but the first ones, which are parked, with their fold.
fn check_neighbours(read: &Totals, fold: &Totals, before: &Totals, logs: &Logs) {
    for (number, state) in logs.states.iter().enumerate() {
        let log_id = state.log_id();
        let expected = if number < 2 { before } else { fold };
        assert_eq!(read.logs[&log_id], expected.logs[&log_id], "log {number}");
    }
}

/// Two of five logs are parked and freed, while events arrive.
async fn sums_survive_parking<S: CheckpointStore>(
    place: &Place,
    store: &S,
    mut logs: Logs,
    correct: impl AsyncFnOnce(),
) {
    let child = "subscriptions::parking::child";
    let mut runners = vec![Runner::of(place, child), Runner::of(place, child)];
    logs.append(&[3, 5]).await;
    let before = logs.fold().await;
    let neighbours = logs.states.split_off(2);
    logs.append(&[BAD, 7]).await;
    logs.states.extend(neighbours);
    append_and_kill(place, &mut logs, &mut runners).await;
    wait_for_parked(store, 2).await;
    logs.caught_up(store, NAME).await;
    check_neighbours(&place.read().await, &logs.fold().await, &before, &logs);
    correct().await;
    for state in &logs.states[..2] {
        let wished = store.wish(NAME, state.log_id(), &ParkedWish::Retry).await;
        assert!(wished.unwrap(), "it is parked");
    }
    append_and_kill(place, &mut logs, &mut runners).await;
    wait_for_parked(store, 0).await;
    logs.caught_up(store, NAME).await;
    assert_eq!(place.read().await, logs.fold().await);
    drop(runners);
}

#[tokio::test]
async fn sums_survive_parking_on_postgres() {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let Place::Postgres(stage) = &place else {
        panic!("it is a server");
    };
    stage.server.execute(CORRECTED).await;
    let store = stage.server.store.clone();
    let logs = Logs::new(payments(store.clone()), 5).await;
    let correct = async || {
        stage
            .server
            .execute("insert into corrected values (1)")
            .await;
    };
    sums_survive_parking(&place, &store, logs, correct).await;
}

#[tokio::test]
async fn sums_survive_parking_on_one_sqlite_file() {
    let place = Place::sqlite().await;
    let Place::Sqlite(file) = &place else {
        panic!("it is a file");
    };
    sqlite_file::execute(&file.path(), CORRECTED).await;
    let store = file.store.clone();
    let logs = Logs::new(payments(store.clone()), 5).await;
    let correct = async || {
        sqlite_file::execute(&file.path(), "insert into corrected values (1)").await;
    };
    sums_survive_parking(&place, &store, logs, correct).await;
}

/// A skip is a row with a name, and the sums lack the skipped event alone.
#[tokio::test]
async fn a_skipped_event_is_a_row_with_a_name_on_one_sqlite_file() {
    let place = Place::sqlite().await;
    let Place::Sqlite(file) = &place else {
        panic!("it is a file");
    };
    sqlite_file::execute(&file.path(), CORRECTED).await;
    let mut logs = Logs::new(payments(file.store.clone()), 1).await;
    logs.append(&[2, BAD, 4]).await;
    let prefix = String::new();
    let running = Subscriptions::new(&file.store)
        .projection(SqliteParking { prefix })
        .start();
    let running = running.await.unwrap();
    wait_for_parked(&file.store, 1).await;
    let log_id = logs.states[0].log_id();
    running.skip(NAME, log_id, "ann").await.unwrap();
    wait_for_parked(&file.store, 0).await;
    logs.caught_up(&file.store, NAME).await;
    assert_eq!(place.read().await.logs[&log_id], (1 + 2 + 4, 3));
    let mut connection = sqlite_file::connect(&file.path()).await;
    let skipped = "select name, event_index, event_type, error, skipped_by from skipped_events";
    let skipped = sqlx::query(skipped).fetch_all(&mut connection).await;
    let [skipped] = &skipped.unwrap()[..] else {
        panic!("one event is skipped");
    };
    assert_eq!(skipped.get::<&str, _>(0), NAME);
    assert_eq!(skipped.get::<i64, _>(1), 2);
    assert!(skipped.get::<&str, _>(3).contains("on purpose"));
    assert_eq!(skipped.get::<&str, _>(4), "ann");
    sqlx::Connection::close(connection).await.unwrap();
    running.shutdown().await;
}
