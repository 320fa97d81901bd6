//! Values of every type come back from their columns as they were.

use super::domain::{AccountEvent, Accounts, forget};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use crate::subscriptions::stopped;
use chrono::{DateTime, Utc};
use eventlogs::ids::LogId;
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use eventlogs::{Projection, Rows, event_handler};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
enum Method {
    #[default]
    Cash,
    Card {
        number: u64,
    },
    Other(String),
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Flat {
    is_round: bool,
    sizes: Vec<i16>,
    label: String,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Inner {
    flag: bool,
    list: Vec<i16>,
    text: String,
}

/// Makes rows with a column of each type.
macro_rules! typed {
    ($row:ident, $name:literal, $database:ident, $create:literal) => {
        #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
        #[projection(name = $name, events(AccountEvent), database = $database, table = "typed", create = $create)]
        struct $row {
            #[key]
            id: LogId,
            small: i8,
            least: i64,
            large: u64,
            single: f32,
            real: f64,
            flag: bool,
            letter: char,
            text: String,
            digits: String,
            time: DateTime<Utc>,
            uuid: Uuid,
            bytes: Vec<u8>,
            pair: (i32, String),
            map: BTreeMap<String, f64>,
            cash: Method,
            card: Method,
            other: Method,
            inner: Inner,
            none: Option<Inner>,
            some: Option<Vec<bool>>,
            some_flag: Option<bool>,
            value: Value,
            #[serde(flatten)]
            flat: Flat,
            #[serde(rename = "select")]
            keyword: u32,
        }

        impl $row {
            fn filled(id: LogId) -> Self {
                Self {
                    id,
                    small: -128,
                    least: i64::MIN,
                    large: i64::MAX.unsigned_abs(),
                    single: 0.1,
                    real: 0.1 + 0.2,
                    flag: true,
                    letter: 'ß',
                    text: "a'b\"c\\{\n\u{1F600}".to_owned(),
                    digits: "007".to_owned(),
                    time: "2026-01-31T12:00:00.123456Z".parse().unwrap(),
                    uuid: Uuid::from_u128(7),
                    bytes: vec![0, 255],
                    pair: (-1, "x".to_owned()),
                    map: [("k".to_owned(), 1e300)].into(),
                    cash: Method::Cash,
                    card: Method::Card { number: 1 },
                    other: Method::Other("Cash".to_owned()),
                    inner: Inner { flag: true, list: vec![1, -1], text: "{".to_owned() },
                    none: None,
                    some: Some(vec![true, false]),
                    some_flag: Some(false),
                    value: json!({ "a": [1, null, "b"], "c": 0.5 }),
                    flat: Flat { is_round: true, sizes: vec![3], label: "12".to_owned() },
                    keyword: 1,
                }
            }
        }

        #[event_handler(AccountEvent, ignore(_))]
        impl $row {
            #[on(Opened)]
            fn open(&mut self) {
                *self = Self::filled(self.id);
            }

            #[on(Deposited)]
            fn check(&mut self, amount: i64) {
                assert_eq!(*self, Self::filled(self.id));
                self.large = amount.unsigned_abs() * 2 + 1;
            }
        }
    };
}

typed!(SqliteTyped, "typed", sqlite, "
    create table typed (
        id text primary key, small integer, least integer, large integer, single real, real real, flag integer, letter text,
        text text, digits text, time text, uuid text, bytes text, pair text, map text, cash text, card text, other text,
        inner text, none text, some text, some_flag integer, value json, is_round boolean, sizes json,
        label text, \"select\" integer
    )
");
typed!(PostgresTyped, "promises_rows_typed", postgres, "
    create table typed (
        id uuid primary key, small smallint, least bigint, large numeric, single real, \"real\" double precision, flag boolean,
        letter varchar(1), text text, digits text, time timestamptz, uuid uuid, bytes smallint[], pair jsonb, map jsonb,
        cash text, card jsonb, other jsonb, \"inner\" jsonb, none jsonb, \"some\" boolean[], some_flag boolean, value jsonb,
        is_round boolean, sizes integer[], label text, \"select\" bigint
    )
");

fn one_by_one() -> SubscriptionOptions {
    SubscriptionOptions {
        page_size: 1,
        ..SubscriptionOptions::default()
    }
}

/// The second event finds what the first one has written. The third one makes a number for which SQLite has no integer.
#[tokio::test]
async fn values_come_back_from_sqlite() {
    let file = TemporaryStore::open().await;
    let mut accounts = Accounts::new(file.store.clone(), 1).await;
    accounts
        .append(0, &[AccountEvent::Deposited { amount: i64::MAX }])
        .await;
    let rows = Rows::<SqliteTyped>::new();
    let options = SubscriptionOptions {
        parked_limit: 0,
        ..one_by_one()
    };
    let running = Subscriptions::new(&file.store).projection_with(rows, options);
    let running = running.start().await.unwrap();
    let (_, reason) = stopped(&running, "typed").await;
    let expected =
        "`large` is 18446744073709551615, and the integers of SQLite end with 9223372036854775807";
    assert!(
        reason.starts_with("event 1 of log") && reason.contains(expected),
        "{reason}"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn values_come_back_from_postgres() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, "promises_rows_typed").await;
    let mut accounts = Accounts::new(server.store.clone(), 1).await;
    accounts
        .append(0, &[AccountEvent::Deposited { amount: i64::MAX }])
        .await;
    let rows = Rows::<PostgresTyped>::new();
    let running = Subscriptions::new(&server.store).projection_with(rows, one_by_one());
    let running = running.start().await.unwrap();
    accounts.caught_up("promises_rows_typed").await;
    running.shutdown().await;
    let large = "select large::text from promises_rows_typed.typed";
    let mut connection = server.connection().await;
    let large: String = sqlx::query_scalar(large)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(large, u64::MAX.to_string());
    forget(&server, "promises_rows_typed").await;
}
