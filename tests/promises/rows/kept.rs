//! Which rows stay in the table, and which table can hold them.

use super::domain::{
    AccountEvent, Accounts, Address, Standing, accounts, forget, on_postgres, on_sqlite,
};
use crate::postgres::TestStore;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::projection::RowKeys;
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use eventlogs::{FeedRecord, Projection, Rows, event_handler};
use serde::{Deserialize, Serialize};
use std::error::Error;

accounts!(
    PostgresOpen,
    "promises_rows_kept",
    postgres,
    "on_postgres.sql",
    keep = Self::is_open
);
accounts!(
    SqliteOpen,
    "accounts",
    sqlite,
    "on_sqlite.sql",
    keep = Self::is_open
);

impl PostgresOpen {
    const fn is_open(&self) -> bool {
        !self.closed
    }
}

impl SqliteOpen {
    const fn is_open(&self) -> bool {
        !self.closed
    }
}

fn pages_of(page_size: usize) -> SubscriptionOptions {
    SubscriptionOptions {
        page_size,
        ..SubscriptionOptions::default()
    }
}

/// A row that is closed goes away, with a later event in the same page or not.
#[tokio::test]
async fn rows_that_are_not_kept_are_deleted() {
    for size in [1, 3, 500] {
        let file = TemporaryStore::open().await;
        let mut accounts = Accounts::new(file.store.clone(), 9).await;
        accounts.append_a_lot().await;
        accounts.append(4, &[AccountEvent::Closed]).await;
        let fold = accounts.fold::<SqliteOpen>().await;
        assert_eq!(fold.len(), 8);
        let rows = Rows::<SqliteOpen>::new();
        let running = Subscriptions::new(&file.store).projection_with(rows, pages_of(size));
        let running = running.start().await.unwrap();
        accounts.caught_up("accounts").await;
        running.shutdown().await;
        let found = on_sqlite(&mut sqlite_file::connect(&file.path()).await).await;
        assert_eq!(found, fold, "{size}");

        let Some(server) = TestStore::new().await else {
            continue;
        };
        forget(&server, "promises_rows_kept").await;
        let mut accounts = Accounts::new(server.store.clone(), 9).await;
        accounts.append_a_lot().await;
        accounts.append(4, &[AccountEvent::Closed]).await;
        let rows = Rows::<PostgresOpen>::new();
        let running = Subscriptions::new(&server.store).projection_with(rows, pages_of(size));
        let running = running.start().await.unwrap();
        accounts.caught_up("promises_rows_kept").await;
        running.shutdown().await;
        let found = on_postgres(&mut server.connection().await, "promises_rows_kept").await;
        assert_eq!(found, accounts.fold::<PostgresOpen>().await, "{size}");
        forget(&server, "promises_rows_kept").await;
    }
}

/// Makes rows with two columns, for a table.
macro_rules! small {
    ($row:ident, $name:literal, $database:ident, $create:literal) => {
        #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
        #[projection(name = $name, events(AccountEvent), database = $database, table = "small", create = $create)]
        struct $row {
            #[key]
            id: LogId,
            total: u64,
        }

        #[event_handler(AccountEvent, ignore(_))]
        impl $row {
            #[on(Deposited)]
            fn deposit(&mut self, amount: i64) {
                self.total = self.total.wrapping_add_signed(amount);
            }
        }
    };
}

small!(
    WithoutTable,
    "promises_rows_refused",
    sqlite,
    "create table other (id text primary key)"
);
small!(
    WithoutColumn,
    "promises_rows_refused",
    sqlite,
    "create table small (id text primary key)"
);
small!(
    WithoutKey,
    "promises_rows_refused",
    sqlite,
    "create table small (id text, total integer)"
);
small!(
    WithMore,
    "promises_rows_refused",
    sqlite,
    "create table small (id text primary key, total integer, more text not null)"
);
small!(
    Generated,
    "promises_rows_refused",
    sqlite,
    "create table small (id text primary key, total integer as (1))"
);
small!(
    Right,
    "promises_rows_refused",
    sqlite,
    "create table small (id text primary key, total integer, more text)"
);
small!(
    PostgresWithoutTable,
    "promises_rows_refused",
    postgres,
    "create table other (id uuid primary key)"
);
small!(
    PostgresWithoutColumn,
    "promises_rows_refused",
    postgres,
    "create table small (id uuid primary key)"
);
small!(
    PostgresWithoutKey,
    "promises_rows_refused",
    postgres,
    "create table small (id uuid, total bigint)"
);
small!(
    PostgresWithMore,
    "promises_rows_refused",
    postgres,
    "create table small (id uuid primary key, total bigint, more text not null)"
);
small!(
    PostgresGenerated,
    "promises_rows_refused",
    postgres,
    "create table small (id uuid primary key, total bigint generated always as (1) stored)"
);
small!(
    PostgresRight,
    "promises_rows_refused",
    postgres,
    "create table small (id uuid primary key, total bigint, more text)"
);

/// What the messages say.
const REFUSALS: [&str; 5] = [
    "there is no such table",
    "it has no column `total`; add the column, or remove the field `total`",
    "its column `id` is neither the primary key nor unique",
    "its column `more` must have a value",
    "its column `total` is generated",
];

/// A start that fails because of the table.
macro_rules! refused {
    ($store:expr, [$($row:ident),*]) => {
        [$({
            let rows = Subscriptions::new($store).projection(Rows::<$row>::new());
            let error = rows.start().await.expect_err(stringify!($row));
            error.source().unwrap().to_string()
        }),*]
    };
}

/// A table that cannot hold the rows is refused at the start, and nothing is left of it.
#[tokio::test]
async fn a_table_that_does_not_fit_is_refused() {
    let file = TemporaryStore::open().await;
    let reasons = refused!(
        &file.store,
        [WithoutTable, WithoutColumn, WithoutKey, WithMore, Generated]
    );
    for (reason, expected) in reasons.iter().zip(REFUSALS) {
        assert!(reason.contains(expected), "{reason}");
    }
    let right = Subscriptions::new(&file.store).projection(Rows::<Right>::new());
    right.start().await.unwrap().shutdown().await;

    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, "promises_rows_refused").await;
    let reasons = refused!(
        &server.store,
        [
            PostgresWithoutTable,
            PostgresWithoutColumn,
            PostgresWithoutKey,
            PostgresWithMore,
            PostgresGenerated
        ]
    );
    for (reason, expected) in reasons.iter().zip(REFUSALS) {
        assert!(reason.contains(expected), "{reason}");
    }
    let right = Subscriptions::new(&server.store).projection(Rows::<PostgresRight>::new());
    right.start().await.unwrap().shutdown().await;
    forget(&server, "promises_rows_refused").await;
}

/// Makes rows by another key than the log.
macro_rules! by_holder {
    ($row:ident, $name:literal, $database:ident, $create:literal) => {
        /// The number of accounts that were opened, by the first word of the holder and by all of it.
        #[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
        #[projection(name = $name, events(AccountEvent by names), database = $database, table = "names", create = $create)]
        struct $row {
            #[key]
            name: String,
            opened: u32,
        }

        #[event_handler(AccountEvent, ignore(_))]
        impl $row {
            #[on(Opened)]
            fn open(&mut self) {
                self.opened += 1;
            }
        }
    };
}

by_holder!(
    SqliteNames,
    "names",
    sqlite,
    "create table names (name text primary key, opened integer not null)"
);
by_holder!(
    PostgresNames,
    "promises_rows_names",
    postgres,
    "create table names (name varchar(80) primary key, opened integer not null)"
);

fn names(record: &FeedRecord<AccountEvent>) -> RowKeys<String> {
    match eventlogs::EventRecord::event(record) {
        AccountEvent::Opened { holder } if holder == "again" => RowKeys::none(),
        AccountEvent::Opened { holder } => {
            let first = holder.split(' ').next().unwrap_or_default();
            [first.to_owned(), holder.clone()].into_iter().collect()
        }
        _ => RowKeys::none(),
    }
}

#[tokio::test]
async fn rows_can_have_another_key() {
    let expected: Vec<(String, i64)> = std::iter::once(("holder".to_owned(), 5))
        .chain((0..5).map(|number| (format!("holder {number}, \"quoted\" ü"), 1)))
        .collect();
    let select = "select name, opened from names order by opened desc, name";
    let file = TemporaryStore::open().await;
    let mut accounts = Accounts::new(file.store.clone(), 5).await;
    accounts.append_a_lot().await;
    let rows = Rows::<SqliteNames>::new();
    let running = Subscriptions::new(&file.store).projection_with(rows, pages_of(2));
    let running = running.start().await.unwrap();
    accounts.caught_up("names").await;
    running.shutdown().await;
    let mut connection = sqlite_file::connect(&file.path()).await;
    let found: Vec<(String, i64)> = sqlx::query_as(select)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(found, expected);

    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, "promises_rows_names").await;
    let mut accounts = Accounts::new(server.store.clone(), 5).await;
    accounts.append_a_lot().await;
    let rows = Rows::<PostgresNames>::new();
    let running = Subscriptions::new(&server.store).projection_with(rows, pages_of(2));
    let running = running.start().await.unwrap();
    accounts.caught_up("promises_rows_names").await;
    running.shutdown().await;
    let select =
        "select name, opened::bigint from promises_rows_names.names order by opened desc, name";
    let mut connection = server.connection().await;
    let found: Vec<(String, i64)> = sqlx::query_as(select)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(found, expected);
    forget(&server, "promises_rows_names").await;
}
