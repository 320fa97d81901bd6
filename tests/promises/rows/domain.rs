//! Accounts: rows with every kind of column, and the logs that they are folded from.

use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::projection::CheckpointStore;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventHandler, EventRecord, EventStore,
    LogManager, LogManagerOptions, LogState, MemoryAggregationCache, ProjectedRow,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, PgConnection, SqliteConnection};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum AccountEvent {
    #[event(name = "account.opened")]
    Opened { holder: String },
    #[event(name = "account.deposited")]
    Deposited { amount: i64 },
    #[event(name = "account.tagged")]
    Tagged { tag: String },
    #[event(name = "account.moved")]
    Moved { address: Option<Address> },
    /// No row wants it.
    #[event(name = "account.noticed")]
    Noticed,
    #[event(name = "account.closed")]
    Closed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) floors: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    #[default]
    New,
    GoodOne,
}

/// The amount at which a handler panics.
pub(crate) const PANICS: i64 = -1_300;
/// The amount after which a row has a value that JSON has not.
pub(crate) const NOT_A_NUMBER: i64 = -1_400;

/// Makes the rows of one database.
macro_rules! accounts {
    ($row:ident, $name:literal, $database:ident, $create:literal $(, keep = $open:path)?) => {
        #[derive(Debug, Default, Clone, PartialEq, serde::Serialize, serde::Deserialize, eventlogs::Projection)]
        #[projection(
            name = $name, events(AccountEvent), database = $database, table = "accounts", create = $create
            $(, keep = $open)?
        )]
        pub(crate) struct $row {
            #[key]
            id: eventlogs::ids::LogId,
            #[serde(rename = "holder")]
            owner: String,
            balance: i64,
            tags: Vec<String>,
            address: Option<Address>,
            vip: bool,
            ratio: f64,
            standing: Standing,
            events: u64,
            closed: bool,
            #[through]
            through: Option<u64>,
        }

        #[eventlogs::event_handler(AccountEvent, ignore(Noticed))]
        impl $row {
            #[on(Opened)]
            fn open(&mut self, holder: &str) {
                self.owner.push_str(holder);
                self.events += 1;
            }

            #[on(Deposited)]
            fn deposit(&mut self, amount: i64) {
                self.events += 1;
                self.balance += amount;
                self.vip = self.balance > 20;
                self.ratio += 0.1;
                if self.events > 2 {
                    self.standing = Standing::GoodOne;
                }
                assert_ne!(amount, crate::rows::domain::PANICS, "an amount on purpose");
                if amount == crate::rows::domain::NOT_A_NUMBER {
                    self.ratio = f64::NAN;
                }
            }

            #[on(Tagged)]
            fn tag(&mut self, tag: &str) {
                self.events += 1;
                self.tags.push(tag.to_owned());
            }

            #[on(Moved)]
            fn relocate(&mut self, address: Option<Address>) {
                self.events += 1;
                self.address = address;
            }

            #[on(Closed)]
            fn close(&mut self) {
                self.closed = true;
            }
        }
    };
}
pub(crate) use accounts;

/// The columns that a test compares, as one text in JSON.
const COLUMNS: [&str; 9] = [
    "holder", "balance", "tags", "address", "vip", "ratio", "standing", "events", "through",
];

/// Nothing decides about accounts here.
#[derive(Debug, Default, Clone)]
pub(crate) struct Account;

impl Aggregate for Account {
    type Event = AccountEvent;

    fn apply(&mut self, _: &impl EventRecord<AccountEvent>) {}
}

/// Logs of accounts.
pub(crate) struct Accounts<S> {
    pub(crate) store: S,
    manager: LogManager<Account>,
    pub(crate) states: Vec<LogState<AccountEvent>>,
}

impl<S: EventStore<AccountEvent> + CheckpointStore> Accounts<S> {
    /// Creates logs of one event each.
    pub(crate) async fn new(store: S, logs: usize) -> Self {
        let manager = LogManager::new(
            store.clone(),
            MemoryAggregationCache::default(),
            LogManagerOptions::default(),
        );
        let mut states = Vec::new();
        for number in 0..logs {
            let holder = format!("holder {number}, \"quoted\" ü");
            let opened = AccountEvent::Opened { holder };
            let (log_id, options) = (LogId::new(), CreateOptions::default());
            let created = manager.create(&log_id, &opened, &options);
            states.push(created.await.unwrap());
        }
        Self {
            store,
            manager,
            states,
        }
    }

    pub(crate) async fn append(&mut self, log: usize, events: &[AccountEvent]) {
        let options = AppendOptions::default();
        let appended = self.manager.append_all(self.states[log], events, &options);
        self.states[log] = appended.await.unwrap();
    }

    /// Appends events of all kinds, some logs several times in a row.
    pub(crate) async fn append_a_lot(&mut self) {
        for round in 0..12_usize {
            for log in 0..self.states.len() {
                let amount = i64::try_from(round * 7 + log).unwrap() - 20;
                let events = match (round * 3 + log * 5) % 7 {
                    0 => vec![AccountEvent::Tagged {
                        tag: format!("{round} 'x', {{}}"),
                    }],
                    1 => vec![AccountEvent::Noticed],
                    2 => vec![
                        AccountEvent::Moved {
                            address: Some(Address {
                                street: "A \"b\"".to_owned(),
                                floors: vec![1, 255],
                            }),
                        },
                        AccountEvent::Deposited { amount },
                    ],
                    3 => vec![AccountEvent::Moved { address: None }],
                    4 => vec![
                        AccountEvent::Closed,
                        AccountEvent::Noticed,
                        AccountEvent::Opened {
                            holder: "again".to_owned(),
                        },
                    ],
                    _ => vec![AccountEvent::Deposited { amount }; 1 + log % 3],
                };
                self.append(log, &events).await;
            }
        }
    }

    /// Returns the events of a log.
    pub(crate) async fn events(&self, log_id: LogId) -> Vec<AccountEvent> {
        let records = self.manager.load(&log_id, 0, 1_000_000).await.unwrap();
        records
            .iter()
            .map(|record| record.event().clone())
            .collect()
    }

    /// Returns the fold of the events: of those before an index.
    pub(crate) async fn fold<R>(&self) -> BTreeMap<LogId, Value>
    where
        R: ProjectedRow<Key = LogId> + EventHandler<AccountEvent>,
    {
        let mut rows = BTreeMap::new();
        for state in &self.states {
            let records = self.manager.load(&state.log_id(), 0, 1_000_000).await;
            let mut row: Option<R> = None;
            for record in records.unwrap() {
                if *record.event() == AccountEvent::Noticed {
                    continue;
                }
                let changed = row.get_or_insert_default();
                changed.handle(&record);
                changed.set_through(record.index());
                row = row.filter(ProjectedRow::keep);
            }
            if let Some(row) = row {
                let row = serde_json::to_value(row).unwrap();
                let columns = COLUMNS.map(|name| (name.to_owned(), row[name].clone()));
                rows.insert(state.log_id(), Value::Object(columns.into_iter().collect()));
            }
        }
        rows
    }

    /// Waits until the rows have all events.
    pub(crate) async fn caught_up(&self, name: &str) {
        let begun = Instant::now();
        for state in &self.states {
            let place = self.store.find_place(state.log_id(), state.index()).await;
            let place = place.unwrap().expect("the event is stored");
            loop {
                let states = self.store.partitions(Some(name)).await.unwrap();
                if states.iter().all(|state| state.cursor >= place) {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_mins(1), "{states:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

type Columns = (
    String,
    String,
    i64,
    String,
    Option<String>,
    bool,
    f64,
    String,
    i64,
    Option<i64>,
);

fn by_id(rows: Vec<Columns>) -> BTreeMap<LogId, Value> {
    let row = |row: Columns| {
        let (id, holder, balance, tags, address, vip, ratio, standing, events, through) = row;
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let content = json!({
            "holder": holder, "balance": balance, "tags": json(&tags), "address": address.as_deref().map(json), "vip": vip,
            "ratio": ratio, "standing": standing, "events": events, "through": through,
        });
        (id.parse().unwrap(), content)
    };
    rows.into_iter().map(row).collect()
}

/// Reads the rows with plain SQL.
pub(crate) async fn on_postgres(
    connection: &mut PgConnection,
    schema: &str,
) -> BTreeMap<LogId, Value> {
    let text = format!(
        "select id::text, holder, balance, array_to_json(tags)::text, address::text, vip, ratio, standing, events::bigint, through
         from {schema}.accounts"
    );
    let rows = sqlx::query_as(AssertSqlSafe(text)).fetch_all(connection);
    by_id(rows.await.unwrap())
}

/// Reads the rows with plain SQL.
pub(crate) async fn on_sqlite(connection: &mut SqliteConnection) -> BTreeMap<LogId, Value> {
    let text = "select id, holder, balance, tags, address, vip, ratio, standing, events, through from accounts";
    by_id(sqlx::query_as(text).fetch_all(connection).await.unwrap())
}

/// Removes what an earlier run has left on a server that lives on.
pub(crate) async fn forget(server: &TestStore, name: &str) {
    let drop = format!("drop schema if exists {name} cascade");
    let mut connection = server.connection().await;
    let drop = connection.execute(sqlx::raw_sql(AssertSqlSafe(drop)));
    drop.await.unwrap();
}
