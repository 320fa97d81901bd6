//! Events that cannot be applied: the events before them are in the rows, and the reason names the event.

use super::domain::{
    AccountEvent, Accounts, Address, NOT_A_NUMBER, PANICS, Standing, accounts, forget, on_postgres,
    on_sqlite,
};
use crate::postgres::TestStore;
use crate::sqlite_file;
use crate::sqlite_file::TemporaryStore;
use crate::subscriptions::{stopped, stopping};
use eventlogs::ids::LogId;
use eventlogs::projection::CheckpointStore;
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{EventStore, ProjectedRow, Rows};
use serde_json::Value;
use std::collections::BTreeMap;

accounts!(
    PostgresPanic,
    "promises_rows_panic",
    postgres,
    "on_postgres.sql"
);
accounts!(
    PostgresNan,
    "promises_rows_nan",
    postgres,
    "on_postgres.sql"
);
accounts!(
    PostgresNul,
    "promises_rows_nul",
    postgres,
    "on_postgres.sql"
);
accounts!(SqliteFailing, "accounts", sqlite, "on_sqlite.sql");

/// What is wrong with an event, and a part of the reason.
fn bad_events() -> [(AccountEvent, &'static str); 2] {
    let bad = |amount| AccountEvent::Deposited { amount };
    [
        (bad(PANICS), "panicked: assertion"),
        (bad(NOT_A_NUMBER), "in the field `ratio`"),
    ]
}

/// Makes logs whose first one has a bad event in the middle. Returns the rows of the events before it.
async fn before_bad<R, S>(accounts: &mut Accounts<S>, bad: AccountEvent) -> BTreeMap<LogId, Value>
where
    R: ProjectedRow<Key = LogId> + eventlogs::EventHandler<AccountEvent>,
    S: EventStore<AccountEvent> + CheckpointStore,
{
    accounts.append_a_lot().await;
    let before = accounts.fold::<R>().await;
    let good = AccountEvent::Deposited { amount: 1 };
    accounts.append(0, &[bad, good]).await;
    accounts.append_a_lot().await;
    before
}

/// Checks the reason for which a subscription has stopped.
fn check_reason<S>(accounts: &Accounts<S>, index: u64, reason: &str, expected: &str) {
    let event = format!("event {index} of log {}", accounts.states[0].log_id());
    assert!(
        reason.starts_with(&event) && reason.contains(expected),
        "{reason}"
    );
}

#[tokio::test]
async fn a_bad_event_stops_the_rows_on_sqlite() {
    for (bad, expected) in bad_events() {
        let file = TemporaryStore::open().await;
        let mut accounts = Accounts::new(file.store.clone(), 3).await;
        let before = before_bad::<SqliteFailing, _>(&mut accounts, bad).await;
        let index = before[&accounts.states[0].log_id()]["through"]
            .as_u64()
            .unwrap()
            + 1;
        let running = Subscriptions::new(&file.store)
            .projection_with(Rows::<SqliteFailing>::new(), stopping());
        let running = running.start().await.unwrap();
        let (_, reason) = stopped(&running, "accounts").await;
        check_reason(&accounts, index, &reason, expected);
        let found = on_sqlite(&mut sqlite_file::connect(&file.path()).await).await;
        assert_eq!(found, before, "{reason}");
        running.shutdown().await;
    }
}

/// Runs rows on PostgreSQL until they stop.
async fn stops_on_postgres<R>(bad: AccountEvent, expected: &str)
where
    R: ProjectedRow<Key = LogId, Database = eventlogs::projection::Postgres>
        + eventlogs::EventHandler<AccountEvent>,
{
    let Some(server) = TestStore::new().await else {
        return;
    };
    forget(&server, R::NAME).await;
    let mut accounts = Accounts::new(server.store.clone(), 3).await;
    let before = before_bad::<R, _>(&mut accounts, bad).await;
    let index = before[&accounts.states[0].log_id()]["through"]
        .as_u64()
        .unwrap()
        + 1;
    let running = Subscriptions::new(&server.store).projection_with(Rows::<R>::new(), stopping());
    let running = running.start().await.unwrap();
    let (_, reason) = stopped(&running, R::NAME).await;
    check_reason(&accounts, index, &reason, expected);
    let found = on_postgres(&mut server.connection().await, R::NAME).await;
    assert_eq!(found, before, "{reason}");
    running.shutdown().await;
    forget(&server, R::NAME).await;
}

#[tokio::test]
async fn a_panic_stops_the_rows_on_postgres() {
    let [(bad, expected), _] = bad_events();
    stops_on_postgres::<PostgresPanic>(bad, expected).await;
}

#[tokio::test]
async fn a_value_that_json_has_not_stops_the_rows_on_postgres() {
    let [_, (bad, expected)] = bad_events();
    stops_on_postgres::<PostgresNan>(bad, expected).await;
}

/// The server refuses the statement for all rows of a page, and does not say which row it is.
#[tokio::test]
async fn a_row_that_the_server_refuses_is_found() {
    let tag = "a\0b".to_owned();
    let bad = AccountEvent::Tagged { tag };
    stops_on_postgres::<PostgresNul>(bad, "unsupported Unicode escape sequence").await;
}
