//! Rows are the fold of the events.

use super::domain::{
    AccountEvent, Accounts, Address, Standing, accounts, forget, on_postgres, on_sqlite,
};
use crate::postgres::TestStore;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use eventlogs::Rows;
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

accounts!(
    PostgresAccount,
    "promises_rows_folded",
    postgres,
    "on_postgres.sql"
);
accounts!(
    PostgresThrough,
    "promises_rows_through",
    postgres,
    "on_postgres.sql"
);
accounts!(SqliteAccount, "accounts", sqlite, "on_sqlite.sql");

const SIZES: [usize; 4] = [1, 2, 7, 500];

fn pages_of(page_size: usize) -> SubscriptionOptions {
    SubscriptionOptions {
        page_size,
        ..SubscriptionOptions::default()
    }
}

#[tokio::test]
async fn any_pages_give_the_fold_on_postgres() {
    for size in SIZES {
        let Some(server) = TestStore::new().await else {
            return;
        };
        let name = "promises_rows_folded";
        forget(&server, name).await;
        let mut accounts = Accounts::new(server.store.clone(), 9).await;
        accounts.append_a_lot().await;
        let rows = Rows::<PostgresAccount>::new();
        let running = Subscriptions::new(&server.store).projection_with(rows, pages_of(size));
        let running = running.start().await.unwrap();
        accounts.append_a_lot().await;
        accounts.caught_up(name).await;
        running.shutdown().await;
        // After a restart it goes on where it was.
        accounts.append_a_lot().await;
        let rows = Rows::<PostgresAccount>::new();
        let running = Subscriptions::new(&server.store).projection_with(rows, pages_of(size));
        let running = running.start().await.unwrap();
        accounts.caught_up(name).await;
        running.shutdown().await;
        let found = on_postgres(&mut server.connection().await, name).await;
        assert_eq!(found, accounts.fold::<PostgresAccount>().await, "{size}");
        forget(&server, name).await;
    }
}

#[tokio::test]
async fn any_pages_give_the_fold_on_sqlite() {
    for size in SIZES {
        let file = TemporaryStore::open().await;
        let mut accounts = Accounts::new(file.store.clone(), 9).await;
        accounts.append_a_lot().await;
        let rows = Rows::<SqliteAccount>::new();
        let running = Subscriptions::new(&file.store).projection_with(rows, pages_of(size));
        let running = running.start().await.unwrap();
        accounts.append_a_lot().await;
        accounts.caught_up("accounts").await;
        running.shutdown().await;
        accounts.append_a_lot().await;
        let rows = Rows::<SqliteAccount>::new();
        let running = Subscriptions::new(&file.store).projection_with(rows, pages_of(size));
        let running = running.start().await.unwrap();
        accounts.caught_up("accounts").await;
        running.shutdown().await;
        let connection = SqliteConnectOptions::new().filename(file.path());
        let found = on_sqlite(&mut connection.connect().await.unwrap()).await;
        assert_eq!(found, accounts.fold::<SqliteAccount>().await, "{size}");
    }
}

/// Sets a checkpoint back to the first event.
const SET_BACK: &str = "update checkpoints set epoch = 0, tx = '0', position = 0, event_id = null";

/// After a checkpoint was set back, `#[through]` passes over what is in the rows.
#[tokio::test]
async fn events_that_are_in_the_rows_are_passed_over() {
    for size in SIZES {
        let file = TemporaryStore::open().await;
        let mut accounts = Accounts::new(file.store.clone(), 4).await;
        for _ in 0..2 {
            accounts.append_a_lot().await;
            let rows = Rows::<SqliteAccount>::new();
            let running = Subscriptions::new(&file.store).projection_with(rows, pages_of(size));
            let running = running.start().await.unwrap();
            accounts.caught_up("accounts").await;
            running.shutdown().await;
            let found = on_sqlite(&mut sqlite_file::connect(&file.path()).await).await;
            assert_eq!(found, accounts.fold::<SqliteAccount>().await, "{size}");
            sqlite_file::execute(&file.path(), SET_BACK).await;
        }

        let Some(server) = TestStore::new().await else {
            continue;
        };
        let name = "promises_rows_through";
        forget(&server, name).await;
        let mut accounts = Accounts::new(server.store.clone(), 4).await;
        for _ in 0..2 {
            accounts.append_a_lot().await;
            let rows = Rows::<PostgresThrough>::new();
            let running = Subscriptions::new(&server.store).projection_with(rows, pages_of(size));
            let running = running.start().await.unwrap();
            accounts.caught_up(name).await;
            running.shutdown().await;
            let found = on_postgres(&mut server.connection().await, name).await;
            assert_eq!(found, accounts.fold::<PostgresThrough>().await, "{size}");
            server.execute(SET_BACK).await;
        }
        forget(&server, name).await;
    }
}
