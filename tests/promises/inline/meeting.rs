//! Two writers that meet in one row.

use super::domain::{OnServer, Stand, caught_up, content, create, fold, forget, tallies};
use crate::payments::PaymentEvent;
use crate::postgres::TestStore;
use crate::subscriptions::PATIENCE;
use eventlogs::projection::CatchUpError;
use eventlogs::stores::StoreError;
use eventlogs::{AppendOptions, ProjectedRow};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};

tallies!(
    PostgresOlder,
    "promises_inline_older",
    postgres,
    "on_postgres.sql"
);
tallies!(
    PostgresNewer,
    "promises_inline_newer",
    postgres,
    "on_postgres.sql"
);
tallies!(
    PostgresTwo,
    "promises_inline_two",
    postgres,
    "on_postgres.sql"
);
tallies!(
    PostgresIsolated,
    "promises_inline_isolated",
    postgres,
    "on_postgres.sql"
);

fn capture(amount: u64) -> PaymentEvent {
    PaymentEvent::Captured { amount }
}

/// The number of the lock at which a page hangs.
const HANGING: i64 = 0x07a1_11e5;

/// Waits until a statement on the rows of a projection waits for a lock of this type.
async fn somebody_waits(server: &TestStore, name: &str, locktype: &str) {
    let begun = Instant::now();
    let mut connection = server.connection().await;
    let waiting = format!(
        "select count(*) from pg_locks l
         where not l.granted and l.locktype = '{locktype}'
             and exists (select from pg_locks r where r.pid = l.pid and r.relation = '{name}.tallies'::regclass)"
    );
    loop {
        let waiting = sqlx::query_scalar::<_, i64>(AssertSqlSafe(waiting.clone()));
        if waiting.fetch_one(&mut connection).await.unwrap() > 0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Returns how often a row got fewer events than it had.
async fn falls(connection: &mut PgConnection, name: &str) -> i64 {
    let text = format!("select count(*) from {name}.falls");
    let falls = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(connection);
    falls.await.unwrap()
}

/// The subscription has an older page than the row that a transaction writes at the same moment.
#[tokio::test]
async fn an_older_page_does_not_overwrite_a_newer_row() {
    let Some((server, stand)) = OnServer::<PostgresOlder>::new().await else {
        return;
    };
    let name = PostgresOlder::NAME;
    let manager = stand.manager();
    let states = create(&manager, 1).await;
    let logs = [states[0].log_id()];
    let running = stand.start().await;
    caught_up(&stand, &logs).await;
    running.pause(name).await.unwrap();
    let state = manager
        .append(states[0], &capture(1), AppendOptions::NONE)
        .await
        .unwrap();
    // Only after that event is visible to all does the transaction get its number, so the page has the event.
    let ten = [capture(10)];
    let mut transaction = stand.pool.begin().await.unwrap();
    let appended = stand
        .store
        .append_in(&mut transaction, state, &ten, AppendOptions::NONE);
    appended.await.unwrap();
    let row = stand
        .store
        .catch_up_in(&mut transaction, &stand.tallies, logs[0]);
    let newer = content(&row.await.unwrap().unwrap());
    assert_eq!(newer["captured"], 11);
    running.resume(name).await.unwrap();
    somebody_waits(&server, name, "transactionid").await;
    transaction.commit().await.unwrap();
    caught_up(&stand, &logs).await;
    assert_eq!(stand.rows().await[&logs[0]], newer);
    assert_eq!(stand.rows().await, fold(&stand, &logs).await);
    assert_eq!(falls(&mut server.connection().await, name).await, 0);
    running.shutdown().await;
    forget::<PostgresOlder>(&server).await;
}

/// The subscription has written a row, and has not committed, when a transaction with a newer event writes it.
#[tokio::test]
async fn a_newer_row_takes_the_place_of_an_older_one() {
    let Some((server, stand)) = OnServer::<PostgresNewer>::new().await else {
        return;
    };
    let name = PostgresNewer::NAME;
    let stand = Arc::new(stand);
    let manager = stand.manager();
    let states = create(&manager, 1).await;
    let logs = [states[0].log_id()];
    let running = stand.start().await;
    caught_up(&*stand, &logs).await;
    // A page with this amount waits after it has written the row. A lock of this kind does not hold the feed back.
    let hang = format!(
        "create function {name}.hang() returns trigger language plpgsql as
             'begin perform pg_advisory_xact_lock_shared({HANGING}); return null; end';
         create trigger hang after update on {name}.tallies for each row when (new.captured = 777)
             execute function {name}.hang()"
    );
    stand
        .pool
        .execute(sqlx::raw_sql(AssertSqlSafe(hang)))
        .await
        .unwrap();
    let mut holder = server.connection().await;
    let lock = format!("select pg_advisory_lock({HANGING})");
    holder.execute(AssertSqlSafe(lock)).await.unwrap();
    let options = AppendOptions::default();
    let state = manager
        .append(states[0], &capture(777), &options)
        .await
        .unwrap();
    somebody_waits(&server, name, "advisory").await;
    let writing = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.write(state, &[capture(10)], true).await }
    });
    somebody_waits(&server, name, "transactionid").await;
    let unlock = format!("select pg_advisory_unlock({HANGING})");
    holder.execute(AssertSqlSafe(unlock)).await.unwrap();
    let (_, row) = writing.await.unwrap().unwrap();
    assert_eq!(row["captured"], 787);
    caught_up(&*stand, &logs).await;
    assert_eq!(stand.rows().await, fold(&*stand, &logs).await);
    assert_eq!(falls(&mut server.connection().await, name).await, 0);
    running.shutdown().await;
    forget::<PostgresNewer>(&server).await;
}

/// Of two transactions that meet, the one that comes too late reads the row again.
#[tokio::test]
async fn who_comes_too_late_reads_again() {
    let Some((server, stand)) = OnServer::<PostgresTwo>::new().await else {
        return;
    };
    let name = PostgresTwo::NAME;
    let stand = Arc::new(stand);
    let manager = stand.manager();
    stand.start().await.shutdown().await;
    let states = create(&manager, 1).await;
    let log_id = states[0].log_id();
    stand.look(log_id).await.unwrap();
    let mut state = states[0];
    for first_is_newer in [true, false] {
        state = manager
            .append(state, &capture(1), AppendOptions::NONE)
            .await
            .unwrap();
        let before = stand.rows().await;
        let mut first = stand.pool.begin().await.unwrap();
        let lock = format!("select from {name}.tallies for update");
        first.execute(AssertSqlSafe(lock)).await.unwrap();
        if !first_is_newer {
            stand
                .store
                .catch_up_in(&mut first, &stand.tallies, log_id)
                .await
                .unwrap();
            state = manager
                .append(state, &capture(20), AppendOptions::NONE)
                .await
                .unwrap();
        }
        // It reads row and events, and waits with the row that it wants to write.
        let second = tokio::spawn({
            let stand = Arc::clone(&stand);
            async move { stand.look(log_id).await }
        });
        somebody_waits(&server, name, "transactionid").await;
        assert_eq!(stand.rows().await, before);
        if first_is_newer {
            state = manager
                .append(state, &capture(20), AppendOptions::NONE)
                .await
                .unwrap();
            let row = stand
                .store
                .catch_up_in(&mut first, &stand.tallies, log_id)
                .await;
            assert_eq!(content(&row.unwrap().unwrap())["through"], state.index());
        }
        first.commit().await.unwrap();
        let row = second.await.unwrap().unwrap().unwrap();
        // Whoever was first, both end with all events.
        assert_eq!(content(&row)["through"], state.index());
        let expected = fold(&*stand, &[log_id]).await;
        assert_eq!(content(&row), expected[&log_id]);
        assert_eq!(stand.rows().await, expected);
    }
    assert_eq!(falls(&mut server.connection().await, name).await, 0);
    forget::<PostgresTwo>(&server).await;
}

/// A transaction that cannot see the newer row at its isolation level is told to run again.
#[tokio::test]
async fn an_isolated_transaction_is_told_to_run_again() {
    let Some((server, stand)) = OnServer::<PostgresIsolated>::new().await else {
        return;
    };
    let manager = stand.manager();
    stand.start().await.shutdown().await;
    let states = create(&manager, 1).await;
    let log_id = states[0].log_id();
    stand.look(log_id).await.unwrap();
    let mut state = states[0];
    for level in ["repeatable read", "serializable"] {
        state = manager
            .append(state, &capture(1), AppendOptions::NONE)
            .await
            .unwrap();
        let mut transaction = stand.pool.begin().await.unwrap();
        let isolate = AssertSqlSafe(format!("set transaction isolation level {level}"));
        transaction.execute(sqlx::raw_sql(isolate)).await.unwrap();
        transaction
            .execute("select 1 from pg_class limit 1")
            .await
            .unwrap();
        state = manager
            .append(state, &capture(2), AppendOptions::NONE)
            .await
            .unwrap();
        stand.look(log_id).await.unwrap();
        let late = stand
            .store
            .catch_up_in(&mut transaction, &stand.tallies, log_id)
            .await;
        assert!(
            matches!(
                late,
                Err(CatchUpError::Store(StoreError::TransactionFailed { .. }))
            ),
            "{level}: {late:?}"
        );
        transaction.rollback().await.unwrap();
        assert_eq!(stand.rows().await, fold(&stand, &[log_id]).await);
    }
    forget::<PostgresIsolated>(&server).await;
}
