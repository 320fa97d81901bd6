//! The number of round trips to the server.

use super::TestStore;
use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::servers;
use eventlogs::ids::LogId;
use eventlogs::{
    AppendOptions, Appends, CreateOptions, DecideOptions, EventStore, ListOptions, ListOrder,
    LogState,
};
use sqlx::{ConnectOptions, PgConnection, Row};

/// Returns the number of statements executed in this schema since the last call.
async fn executions(store: &TestStore, connection: &mut PgConnection) -> i64 {
    let count = "select coalesce(sum(calls), 0)::bigint from pg_stat_statements where query like '%' || $1 || '%' \
                 and query not like '%pg_stat_statements%'";
    sqlx::query(count)
        .bind(&store.options.schema)
        .fetch_one(connection)
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn each_operation_is_one_round_trip() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let mut connection = store.connection().await;
    if sqlx::raw_sql("create extension if not exists pg_stat_statements with schema public")
        .execute(&mut connection)
        .await
        .is_err()
        || sqlx::query("select 1 from public.pg_stat_statements limit 1")
            .fetch_all(&mut connection)
            .await
            .is_err()
    {
        servers::left_out("counting round trips: the server has no pg_stat_statements");
        return;
    }
    let mut connection = store.connect.connect().await.unwrap();
    let manager = payments(store.store.clone());
    // Connections are opened and checked before anything is counted.
    let warm_up = captured(&manager).await;
    manager.load(&warm_up, 0, 1).await.unwrap();
    let log_id = LogId::new();
    let mut state = LogState::at(log_id, 0);
    let mut before = executions(&store, &mut connection).await;
    macro_rules! one_round_trip {
        ($what:literal, $operation:expr) => {{
            let result = $operation;
            let after = executions(&store, &mut connection).await;
            assert_eq!(after - before, 1, $what);
            before = after;
            result
        }};
    }
    let event = PaymentEvent::Captured { amount: 1 };
    let requested = PaymentEvent::Requested { amount: 1 };
    one_round_trip!(
        "create",
        manager
            .create(&log_id, &requested, &CreateOptions::default())
            .await
            .unwrap()
    );
    state = one_round_trip!(
        "append",
        manager
            .append(state, &event, &AppendOptions::default())
            .await
            .unwrap()
    );
    let options = AppendOptions {
        idempotency_key: Some(log_id.to_string()),
        ..Default::default()
    };
    one_round_trip!(
        "append_all with a key",
        manager
            .append_all(state, &[event.clone(), event.clone()], &options)
            .await
            .unwrap()
    );
    one_round_trip!("cold reduce", manager.reduce(&log_id).await.unwrap());
    manager.flush_cache().await;
    let warm = one_round_trip!("warm reduce", manager.reduce(&log_id).await.unwrap());
    assert_eq!(warm.applied_events(), 0);
    for order in [ListOrder::Id, ListOrder::NewestChange] {
        let list = ListOptions {
            order,
            ..Default::default()
        };
        one_round_trip!("list", manager.list(&list).await.unwrap());
    }
    one_round_trip!("load", manager.load(&log_id, 0, 100).await.unwrap());
    let decided = one_round_trip!(
        "warm decide",
        manager
            .decide(&log_id, &DecideOptions::default(), |_| Ok::<_, ()>([
                refund(0)
            ]))
            .await
            .unwrap()
    );
    assert_eq!(decided.aggregation().through_index(), 4);
    let several = Appends::new()
        .append(decided.into_aggregation(), [refund(0), refund(0)])
        .create(LogId::new(), [requested.clone()])
        .require::<PaymentEvent>(LogState::at(warm_up, 1))
        .create(LogId::new(), [requested])
        .require_absent::<PaymentEvent>(LogId::new());
    let options = AppendOptions {
        idempotency_key: Some(format!("{log_id} and others")),
        ..Default::default()
    };
    one_round_trip!(
        "append_across with requirements and a key",
        manager.append_across(several, &options).await.unwrap()
    );
    let ids = [log_id, warm_up, LogId::new()];
    let ends = EventStore::<PaymentEvent>::ends(&store.store, &ids);
    one_round_trip!("ends", ends.await.unwrap());
    let _ = before;
}

/// Returns the number of rows read from the tables of a store, by any kind of scan.
async fn rows_read(store: &TestStore) -> i64 {
    let count = "select coalesce(sum(seq_tup_read), 0)::bigint
                        + (select sum(idx_tup_read) from pg_stat_user_indexes where schemaname = $1)::bigint
                 from pg_stat_user_tables where schemaname = $1 and relname <> 'meta'";
    let mut connection = store.connect.connect().await.unwrap();
    let count = sqlx::query(count).bind(&store.options.schema);
    count.fetch_one(&mut connection).await.unwrap().get(0)
}

/// Returns the number of rows read, once it is more than this and no more sessions report: a session does so when it ends.
async fn all_rows_read(store: &TestStore, more_than: i64) -> i64 {
    let mut read = rows_read(store).await;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let again = rows_read(store).await;
        if again == read && read > more_than {
            break;
        }
        read = again;
    }
    read
}

/// A plan that is made while the tables are empty must not lead to full scans from then on: no process analyses the tables in
/// the first minutes of a deployment.
#[tokio::test]
async fn what_an_operation_reads_does_not_grow_with_the_tables() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    store
        .execute("alter table events set (autovacuum_enabled = off)")
        .await;
    store
        .execute("alter table idempotency_keys set (autovacuum_enabled = off)")
        .await;
    let manager = payments(store.store.clone());
    let logs = 600;
    for log in 0..logs {
        let log_id = LogId::new();
        let create = CreateOptions {
            idempotency_key: Some(log_id.to_string()),
            ..Default::default()
        };
        let requested = PaymentEvent::Requested { amount: 1 };
        let state = manager.create(&log_id, &requested, &create).await.unwrap();
        let append = AppendOptions {
            idempotency_key: (log % 2 == 0).then(|| format!("{log_id} again")),
            ..Default::default()
        };
        let events = vec![refund(1); 1 + log % 2];
        manager.append_all(state, &events, &append).await.unwrap();
        let across = Appends::new()
            .create(LogId::new(), [requested.clone()])
            .require::<PaymentEvent>(LogState::at(log_id, u64::try_from(1 + log % 2).unwrap()))
            .require_absent::<PaymentEvent>(LogId::new());
        let append = AppendOptions {
            idempotency_key: (log % 2 == 0).then(|| format!("{log_id} required")),
            ..Default::default()
        };
        manager.append_across(across, &append).await.unwrap();
        let replay = manager.create(&LogId::new(), &requested, &create).await;
        assert!(replay.is_err(), "{replay:?}");
        manager.reduce(&log_id).await.unwrap();
    }
    store.store.close().await;
    let read = all_rows_read(&store, 0).await;
    let operations = i64::try_from(5 * logs).unwrap();
    assert!(
        read < 10 * operations,
        "{read} rows were read by {operations} operations"
    );
}

/// A page reads what it looks at, and nothing else, however long the logs are. The plans are made while the tables are empty.
#[tokio::test]
async fn what_a_list_reads_does_not_grow_with_the_tables() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    store
        .execute("alter table events set (autovacuum_enabled = off)")
        .await;
    let lists = store.another().await;
    let listed = payments(lists.clone());
    let first_pages = [ListOrder::Id, ListOrder::NewestChange].map(|order| ListOptions {
        order,
        limit: 10,
        ..Default::default()
    });
    for list in &first_pages {
        assert!(listed.list(list).await.unwrap().logs.is_empty());
    }
    let manager = payments(store.store.clone());
    let logs = 100;
    for _ in 0..logs {
        let state = captured(&manager).await;
        let state = LogState::at(state, 1);
        let none = AppendOptions::NONE;
        manager
            .append_all(state, &vec![refund(0); 100], none)
            .await
            .unwrap();
    }
    store.store.close().await;
    let before = all_rows_read(&store, 0).await;
    let (mut pages, mut looked_at) = (0, 0);
    for mut list in first_pages {
        let mut found = 0;
        loop {
            let page = listed.list(&list).await.unwrap();
            (pages, looked_at) = (pages + 1, looked_at + page.looked_at);
            found += page.logs.len();
            list.after = page.next;
            if list.after.is_none() {
                break;
            }
        }
        assert_eq!(found, logs);
    }
    assert_eq!(looked_at, logs + 102 * logs, "each log and each event once");
    lists.close().await;
    let read = all_rows_read(&store, before).await - before;
    // Each log or event itself, one more row that belongs to it, and a few at the end of each page.
    let most = i64::try_from(2 * looked_at + 5 * pages).unwrap();
    assert!(read > 0, "the sessions have reported");
    assert!(read <= most, "{read} rows were read, at most {most}");
}
