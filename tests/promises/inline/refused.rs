//! Rows that cannot be caught up.

use super::domain::{
    InFile, OnServer, PANICS, Stand, caught_up, content, create, fold, forget, tallies,
};
use crate::payments::PaymentEvent;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::projection::{CatchUpError, RowError};
use eventlogs::{AppendOptions, HandlerError, ProjectedRow};
use sqlx::{AssertSqlSafe, Executor};
use std::time::Instant;

tallies!(
    PostgresTally,
    "promises_inline_refused",
    postgres,
    "on_postgres.sql"
);
tallies!(
    SqliteTally,
    "promises_inline_refused",
    sqlite,
    "on_sqlite.sql"
);

fn capture(amount: u64) -> PaymentEvent {
    PaymentEvent::Captured { amount }
}

/// SQL on the database of a stand, over another connection.
trait ByHand: Stand {
    async fn execute(&self, sql: String);
}

impl ByHand for OnServer<PostgresTally> {
    async fn execute(&self, sql: String) {
        let schema = format!("set local search_path = {}; {sql}", PostgresTally::NAME);
        self.pool
            .execute(sqlx::raw_sql(AssertSqlSafe(schema)))
            .await
            .unwrap();
    }
}

impl ByHand for InFile<SqliteTally> {
    async fn execute(&self, sql: String) {
        let mut transaction = self.store.begin().await.unwrap();
        let mut connection = transaction.connection().unwrap();
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .unwrap();
        drop(connection);
        transaction.commit().await.unwrap();
    }
}

async fn what_cannot_be_caught_up_is_an_error(stand: &impl ByHand) {
    let manager = stand.manager();
    let states = create(&manager, 3).await;
    let logs: Vec<LogId> = states.iter().map(eventlogs::LogState::log_id).collect();
    // Before the projection was ever started, there is no table.
    let missing = stand.look(logs[0]).await.unwrap_err();
    assert!(
        matches!(&missing, CatchUpError::Row(RowError::Table { reason, .. }) if reason.contains("when the projection is started")),
        "{missing:?}"
    );
    let running = stand.start().await;
    caught_up(stand, &logs).await;

    // An event that cannot be applied: the row is as it was, for the subscription and for the transaction.
    let good = stand.rows().await;
    let options = AppendOptions::default();
    let events = [capture(3), capture(PANICS), capture(4)];
    let state = manager
        .append_all(states[1], &events, &options)
        .await
        .unwrap();
    let failed = stand.look(logs[1]).await.unwrap_err();
    let CatchUpError::NotApplied {
        log_id,
        index,
        event_type,
        source,
        ..
    } = &failed
    else {
        panic!("{failed:?}");
    };
    assert_eq!(
        (*log_id, *index, &**event_type),
        (logs[1], 2, "payment.captured")
    );
    assert!(
        matches!(source, HandlerError::Panicked { .. }),
        "{source:?}"
    );
    let written = stand.write(state, &[capture(5)], true).await.unwrap_err();
    assert!(
        matches!(
            written.downcast_ref(),
            Some(CatchUpError::NotApplied { index: 2, .. })
        ),
        "{written:?}"
    );
    assert_eq!(
        manager.reduce(&logs[1]).await.unwrap().state(),
        state,
        "it was rolled back"
    );
    let begun = Instant::now();
    while running
        .parked(stand_name::<_>(stand))
        .await
        .unwrap()
        .is_empty()
    {
        assert!(begun.elapsed() < crate::subscriptions::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(stand.rows().await[&logs[0]], good[&logs[0]]);
    // Other logs go on.
    stand.write(states[0], &[capture(6)], true).await.unwrap();
    // Skipped, it is left out here, too.
    running
        .skip(stand_name(stand), logs[1], "a test")
        .await
        .unwrap();
    let begun = Instant::now();
    while !running.parked(stand_name(stand)).await.unwrap().is_empty() {
        assert!(begun.elapsed() < crate::subscriptions::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    running.shutdown().await;
    stand.execute("delete from tallies".to_owned()).await;
    let row = stand.look(logs[1]).await.unwrap().unwrap();
    assert_eq!(
        (
            content(&row)["captured"].clone(),
            content(&row)["events"].clone()
        ),
        (7.into(), 3.into())
    );

    // A row that does not say which events it has.
    stand.look(logs[2]).await.unwrap();
    stand
        .execute("update tallies set through = null".to_owned())
        .await;
    let without = stand.look(logs[2]).await.unwrap_err();
    assert!(
        matches!(without, CatchUpError::NoIndex { log_id, table: "tallies", .. } if log_id == logs[2]),
        "{without:?}"
    );
    stand.execute("delete from tallies".to_owned()).await;
    stand.look(logs[2]).await.unwrap();
    assert_eq!(stand.rows().await, fold(stand, &logs[2..]).await);
}

fn stand_name<S: Stand>(_: &S) -> &'static str {
    S::Row::NAME
}

#[tokio::test]
async fn what_cannot_be_caught_up_is_an_error_on_postgres() {
    let Some((server, stand)) = OnServer::<PostgresTally>::new().await else {
        return;
    };
    what_cannot_be_caught_up_is_an_error(&stand).await;
    // The transaction can be committed without the row.
    let manager = stand.manager();
    let states = create(&manager, 1).await;
    let state = manager
        .append(states[0], &capture(PANICS), AppendOptions::NONE)
        .await
        .unwrap();
    let one = [capture(1)];
    let mut transaction = stand.pool.begin().await.unwrap();
    let appended = stand
        .store
        .append_in(&mut transaction, state, &one, AppendOptions::NONE);
    let state = appended.await.unwrap();
    let failed = stand
        .store
        .catch_up_in(&mut transaction, &stand.tallies, state.log_id())
        .await;
    assert!(
        matches!(failed, Err(CatchUpError::NotApplied { index: 1, .. })),
        "{failed:?}"
    );
    transaction.commit().await.unwrap();
    assert_eq!(manager.reduce(state.log_id()).await.unwrap().state(), state);
    // A table that does not take the row.
    let trigger =
        "create function refuse() returns trigger language plpgsql as 'begin return null; end';
        create trigger refuse before insert on tallies for each row execute function refuse()";
    stand.execute(trigger.to_owned()).await;
    let states = create(&manager, 1).await;
    let refused = stand.look(states[0].log_id()).await.unwrap_err();
    assert!(
        matches!(&refused, CatchUpError::Row(RowError::Unwritable { reason, .. }) if reason.contains("has not taken the row")),
        "{refused:?}"
    );
    forget::<PostgresTally>(&server).await;
}

#[tokio::test]
async fn what_cannot_be_caught_up_is_an_error_on_sqlite() {
    let file = TemporaryStore::open().await;
    let stand = InFile::<SqliteTally>::new(&file);
    what_cannot_be_caught_up_is_an_error(&stand).await;
    let manager = stand.manager();
    let states = create(&manager, 1).await;
    let state = manager
        .append(states[0], &capture(PANICS), AppendOptions::NONE)
        .await
        .unwrap();
    let one = [capture(1)];
    let mut transaction = stand.store.begin().await.unwrap();
    let appended = stand
        .store
        .append_in(&mut transaction, state, &one, AppendOptions::NONE);
    let state = appended.await.unwrap();
    let failed = stand
        .store
        .catch_up_in(&mut transaction, &stand.tallies, state.log_id())
        .await;
    assert!(
        matches!(failed, Err(CatchUpError::NotApplied { index: 1, .. })),
        "{failed:?}"
    );
    transaction.commit().await.unwrap();
    assert_eq!(manager.reduce(state.log_id()).await.unwrap().state(), state);
}
