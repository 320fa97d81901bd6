//! Events and row are committed together, or neither.

use super::domain::{InFile, OnServer, Stand, caught_up, create, fold, forget, tallies};
use crate::payments::PaymentEvent;
use crate::sqlite_file::TemporaryStore;
use eventlogs::{AppendOptions, LogManagerError};

tallies!(
    PostgresTally,
    "promises_inline_together",
    postgres,
    "on_postgres.sql"
);
tallies!(
    SqliteTally,
    "promises_inline_together",
    sqlite,
    "on_sqlite.sql"
);

/// Whatever the subscription does, the row is there with the events.
async fn the_row_comes_with_the_events(stand: &impl Stand) {
    let (manager, capture) = (stand.manager(), |amount| PaymentEvent::Captured { amount });
    // The start creates the table.
    stand.start().await.shutdown().await;
    let states = create(&manager, 3).await;
    let logs: Vec<_> = states.iter().map(eventlogs::LogState::log_id).collect();
    assert!(stand.rows().await.is_empty());
    // Events that nobody has applied yet come with the first row; ignored ones change nothing.
    let ignored = [PaymentEvent::Rated(0.5), PaymentEvent::Voided];
    let ignored = manager.append_all(states[0], &ignored, AppendOptions::NONE);
    let mut state = ignored.await.unwrap();
    for round in 0..5 {
        let events = [capture(round), PaymentEvent::Voided, capture(2)];
        let written = stand.write(state, &events[..=usize::try_from(round).unwrap() % 3], true);
        let (after, row) = written.await.unwrap();
        state = after;
        let rows = stand.rows().await;
        assert_eq!(rows, fold(stand, &logs[..1]).await);
        assert_eq!(rows[&logs[0]], row);
    }
    // Rolled back, there is neither.
    let before = stand.rows().await;
    for log in [0, 1] {
        let state = manager.reduce(&logs[log]).await.unwrap().state();
        let (gone, row) = stand.write(state, &[capture(9)], false).await.unwrap();
        assert_eq!(row["through"], gone.index());
        assert_eq!(manager.reduce(&logs[log]).await.unwrap().state(), state);
        assert_eq!(stand.rows().await, before);
    }
    // A conflict writes neither.
    let conflict = stand
        .write(states[0], &[capture(9)], true)
        .await
        .unwrap_err();
    let conflict = conflict.downcast_ref::<LogManagerError>();
    assert!(
        matches!(conflict, Some(LogManagerError::ConcurrentAppend { .. })),
        "{conflict:?}"
    );
    assert_eq!(stand.rows().await, before);
    // A read without waiting.
    let row = stand.look(logs[2]).await.unwrap().unwrap();
    assert_eq!(
        super::domain::content(&row),
        fold(stand, &logs[2..]).await[&logs[2]]
    );
    assert!(
        stand
            .look(eventlogs::ids::LogId::new())
            .await
            .unwrap()
            .is_none()
    );
    // The subscription has all of these events before itself, and passes over those that are in the rows.
    let running = stand.start().await;
    caught_up(stand, &logs).await;
    assert_eq!(stand.rows().await, fold(stand, &logs).await);
    // It is ahead, and the transaction goes on from there.
    manager
        .append(state, &capture(5), AppendOptions::NONE)
        .await
        .unwrap();
    caught_up(stand, &logs).await;
    let state = manager.reduce(&logs[0]).await.unwrap().state();
    stand.write(state, &[capture(6)], true).await.unwrap();
    assert_eq!(stand.rows().await, fold(stand, &logs).await);
    caught_up(stand, &logs).await;
    assert_eq!(stand.rows().await, fold(stand, &logs).await);
    running.shutdown().await;
}

#[tokio::test]
async fn the_row_comes_with_the_events_on_postgres() {
    let Some((server, stand)) = OnServer::<PostgresTally>::new().await else {
        return;
    };
    the_row_comes_with_the_events(&stand).await;
    forget::<PostgresTally>(&server).await;
}

#[tokio::test]
async fn the_row_comes_with_the_events_on_sqlite() {
    let file = TemporaryStore::open().await;
    the_row_comes_with_the_events(&InFile::<SqliteTally>::new(&file)).await;
}

/// A log that is far ahead of its row is read in several pages.
async fn a_long_log_is_caught_up(stand: &impl Stand) {
    let manager = stand.manager();
    stand.start().await.shutdown().await;
    let states = create(&manager, 1).await;
    let mut state = states[0];
    for length in [255, 256, 600] {
        let events = vec![PaymentEvent::Captured { amount: 1 }; length];
        state = manager
            .append_all(state, &events, AppendOptions::NONE)
            .await
            .unwrap();
        let row = stand.look(state.log_id()).await.unwrap().unwrap();
        let expected = fold(stand, &[state.log_id()]).await;
        assert_eq!(super::domain::content(&row), expected[&state.log_id()]);
        assert_eq!(stand.rows().await, expected);
    }
}

tallies!(
    PostgresLong,
    "promises_inline_long",
    postgres,
    "on_postgres.sql"
);

#[tokio::test]
async fn a_long_log_is_caught_up_on_postgres() {
    let Some((server, stand)) = OnServer::<PostgresLong>::new().await else {
        return;
    };
    a_long_log_is_caught_up(&stand).await;
    forget::<PostgresLong>(&server).await;
}

#[tokio::test]
async fn a_long_log_is_caught_up_on_sqlite() {
    let file = TemporaryStore::open().await;
    a_long_log_is_caught_up(&InFile::<SqliteTally>::new(&file)).await;
}
