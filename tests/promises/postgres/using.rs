//! Uses of the tables outside the managers, by people and by other parts of a service.

use super::{PREFIX, TestStore};
use crate::payments::{PaymentEvent, captured, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{
    AppendOptions, CreateOptions, DecideOptions, LogManagerError, LogState, PostgresEventStore,
    PostgresOptions,
};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Row};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn psql_shows_readable_events() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = captured(&payments(store.store.clone())).await;
    // JSON with a NUL character, which jsonb does not support, must not hide the other events.
    store.execute(r#"update events set payload = convert_to('{"x":"\u0000"}', 'UTF8') where event_index = 1"#).await;
    let rows = sqlx::query(
        "select log_id, event_type, (payload ->> 'amount')::bigint, log_type from readable_events",
    )
    .fetch_all(&mut store.connection().await)
    .await
    .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].get::<Uuid, _>(0), *log_id.as_uuid());
    assert_eq!(rows[0].get::<&str, _>(1), "payment.requested");
    assert_eq!(rows[0].get::<i64, _>(2), 100);
    assert_eq!(rows[0].get::<Option<&str>, _>(3), Some("payment"));
    assert_eq!(rows[1].get::<Option<i64>, _>(2), None);
}

#[tokio::test]
async fn a_role_that_may_only_insert_and_select_is_enough() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let role = format!("{}_app", store.options.schema);
    let grants = format!(
        "create role {role} login password 'only for this test';
         grant usage on schema {schema} to {role};
         grant select on all tables in schema {schema} to {role};
         grant insert on {schema}.events, {schema}.idempotency_keys to {role}",
        schema = store.options.schema,
    );
    sqlx::raw_sql(AssertSqlSafe(grants))
        .execute(&mut store.connection().await)
        .await
        .unwrap();
    let connect = store
        .connect
        .clone()
        .username(&role)
        .password("only for this test");
    let app = PostgresEventStore::connect_with(connect.clone(), store.options.clone())
        .await
        .unwrap();
    let manager = payments(app);
    let log_id = captured(&manager).await;
    let options = DecideOptions {
        idempotency_key: Some(format!("{log_id}")),
        ..Default::default()
    };
    manager
        .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1), refund(2)]))
        .await
        .unwrap();
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        3
    );

    // To prune keys, the role needs one more privilege.
    let day = Duration::from_hours(24);
    let refused = manager.prune_idempotency_keys(day).await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(
                StoreError::InsufficientPrivilege { .. }
            ))
        ),
        "{refused:?}"
    );
    let grant = format!(
        "grant delete on {}.idempotency_keys to {role}",
        store.options.schema
    );
    sqlx::raw_sql(AssertSqlSafe(grant))
        .execute(&mut store.connection().await)
        .await
        .unwrap();
    assert_eq!(manager.prune_idempotency_keys(day).await.unwrap(), 0);

    // An operation without the privilege is refused, and the error names the table or schema.
    let elsewhere = PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        ..Default::default()
    };
    let elsewhere = PostgresEventStore::connect_with(connect, elsewhere)
        .await
        .unwrap();
    let refused = elsewhere.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::InsufficientPrivilege { .. })),
        "{refused:?}"
    );
    let revoke = format!(
        "revoke insert on {}.events from {role}",
        store.options.schema
    );
    sqlx::raw_sql(AssertSqlSafe(revoke))
        .execute(&mut store.connection().await)
        .await
        .unwrap();
    let refused = manager
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(
                StoreError::InsufficientPrivilege { .. }
            ))
        ),
        "{refused:?}"
    );
    let cleanup = format!("drop owned by {role}; drop role {role}");
    let _ = sqlx::raw_sql(AssertSqlSafe(cleanup))
        .execute(&mut store.connection().await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_of_two_serves_two_hundred_tasks() {
    let Some(store) = TestStore::with(PostgresOptions {
        max_connections: 2,
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let manager = payments(store.store.clone());
    let shared = captured(&manager).await;
    let tasks: Vec<_> = (0..200)
        .map(|task| {
            let manager = manager.clone();
            tokio::spawn(async move {
                let log_id = captured(&manager).await;
                let options = AppendOptions {
                    idempotency_key: Some(format!("{log_id}")),
                    ..Default::default()
                };
                let state = LogState::at(log_id, 1);
                manager
                    .append_all(state, &[refund(1), refund(2)], &options)
                    .await
                    .unwrap();
                let replay = manager
                    .append_all(state, &[refund(1), refund(2)], &options)
                    .await;
                assert!(
                    matches!(replay, Err(LogManagerError::IdempotentReplay { .. })),
                    "{replay:?}"
                );
                assert_eq!(manager.load(&log_id, 0, 10).await.unwrap().len(), 4);
                assert_eq!(manager.reduce(&shared).await.unwrap().log_id(), shared);
                if task % 10 == 0 {
                    let options = DecideOptions {
                        max_attempts: 1_000,
                        ..Default::default()
                    };
                    manager
                        .decide(&shared, &options, |_| Ok::<_, ()>([refund(1)]))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        manager.reduce(&shared).await.unwrap().aggregate().refunded,
        20
    );
}

#[tokio::test]
async fn a_pool_of_the_users_works_as_it_is() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let pool = PgPoolOptions::new()
        .max_connections(3)
        .connect_with(store.connect.clone())
        .await
        .unwrap();
    let theirs = PostgresEventStore::from_pool(pool.clone(), store.options.clone())
        .await
        .unwrap();
    let log_id = captured(&payments(theirs.clone())).await;
    assert_eq!(
        payments(store.store.clone())
            .reduce(&log_id)
            .await
            .unwrap()
            .aggregate()
            .captured,
        100
    );
    theirs.close().await;
    let late = payments(theirs).reduce(&log_id).await;
    assert!(
        matches!(late, Err(LogManagerError::Store(StoreError::Closed))),
        "{late:?}"
    );
    assert!(pool.is_closed());
}
