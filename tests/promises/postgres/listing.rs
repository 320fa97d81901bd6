//! Lists of logs while other transactions run, and after the tables have moved to another server.

use super::TestStore;
use crate::payments::{Payment, captured, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::{AppendOptions, ListOptions, ListOrder, ListedLog, LogManager};
use sqlx::Connection;

type Listed = ListedLog<crate::payments::PaymentEvent>;

/// Returns one page of one log.
async fn first_page(payments: &LogManager<Payment>) -> (Listed, ListOptions) {
    let options = ListOptions {
        order: ListOrder::NewestChange,
        limit: 1,
        ..Default::default()
    };
    let page = payments.list(&options).await.unwrap();
    let options = ListOptions {
        after: page.next,
        ..options
    };
    (page.logs[0], options)
}

/// Returns the ids and the last indices of all further logs.
async fn rest(payments: &LogManager<Payment>, mut options: ListOptions) -> Vec<(LogId, u64)> {
    let mut logs = Vec::new();
    while options.after.is_some() {
        let page = payments.list(&options).await.unwrap();
        let found = page.logs.iter();
        logs.extend(found.map(|log| (log.log_id, log.state().index())));
        options.after = page.next;
    }
    logs
}

/// A transaction that runs while the first page is read, and commits afterwards, has events before the newest ones. Without care
/// their logs would be missing: their events are at places that the list has passed, and no event before them is the last one.
#[tokio::test]
async fn a_transaction_that_ends_between_two_pages_hides_no_log() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let payments = payments(server.store.clone());
    let late = captured(&payments).await;
    let steady = captured(&payments).await;
    let passed = captured(&payments).await;
    let none = AppendOptions::NONE;
    let mut connection = server.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    let state = payments.reduce(late).await.unwrap().state();
    let events = [refund(1), refund(1)];
    server
        .store
        .append_in(&mut transaction, state, &events, none)
        .await
        .unwrap();
    // It begins to write after the transaction, so its event comes after those of the transaction.
    let state = payments.reduce(passed).await.unwrap().state();
    payments.append(state, &refund(1), none).await.unwrap();

    let (first, further) = first_page(&payments).await;
    assert_eq!((first.log_id, first.state().index()), (passed, 2));
    assert_eq!(
        further
            .after
            .clone()
            .unwrap()
            .to_string()
            .split('.')
            .count(),
        4,
        "{further:?}"
    );
    let before = rest(&payments, further.clone()).await;
    assert_eq!(before, [(steady, 1), (late, 1)]);
    transaction.commit().await.unwrap();
    assert_eq!(rest(&payments, further).await, before);
    // A new list sees the events of the transaction, in front of the steady log and behind the newest event.
    let (first, further) = first_page(&payments).await;
    assert_eq!(first.log_id, passed);
    assert_eq!(
        rest(&payments, further).await,
        [(late, 3), (steady, 1)],
        "by the places of the events"
    );
}

/// Transaction numbers of different servers do not compare: those of the server before may be greater.
#[tokio::test]
async fn a_list_spans_all_servers_that_the_tables_were_on() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let payments = payments(server.store.clone());
    let old = [
        captured(&payments).await,
        captured(&payments).await,
        captured(&payments).await,
    ];
    // As `migrate` leaves the tables after they were restored to another server.
    server
        .execute("update events set tx = '9000000000'::xid8")
        .await;
    server.execute("update meta set epoch = 2").await;
    server
        .execute("alter table events alter column epoch set default 2")
        .await;
    let (first, further) = first_page(&payments).await;
    assert_eq!(first.log_id, old[2]);
    let expected = [(old[1], 1), (old[0], 1)];
    assert_eq!(rest(&payments, further.clone()).await, expected);
    let none = AppendOptions::NONE;
    let state = payments.reduce(old[0]).await.unwrap().state();
    payments.append(state, &refund(1), none).await.unwrap();
    let new = captured(&payments).await;
    assert_eq!(rest(&payments, further).await, expected);
    let (first, further) = first_page(&payments).await;
    assert_eq!(first.log_id, new);
    let expected = [(old[0], 2), (old[2], 1), (old[1], 1)];
    assert_eq!(rest(&payments, further).await, expected);
}
