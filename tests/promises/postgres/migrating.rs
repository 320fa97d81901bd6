//! Migration of the tables to the version that the code needs.

use super::{PREFIX, TestStore};
use crate::payments::{PaymentEvent, captured, payments};
use crate::servers;
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{
    AppendOptions, CreateOptions, EventFeed, LogManagerError, PostgresEventStore, PostgresOptions,
};
use futures_util::future::join_all;
use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

#[tokio::test]
async fn many_processes_migrate_a_new_schema_once() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let options = PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        max_connections: 1,
        ..PostgresOptions::default()
    };
    let starts = join_all((0..10).map(|_| async {
        let store =
            PostgresEventStore::connect_with(store.connect.clone(), options.clone()).await?;
        store.migrate().await?;
        Ok::<_, OpenError>(
            payments(store)
                .create(
                    &LogId::new(),
                    &PaymentEvent::Voided,
                    &CreateOptions::default(),
                )
                .await,
        )
    }))
    .await;
    for start in starts {
        start
            .expect("every process finds the tables")
            .expect("every process can use the tables");
    }
}

#[tokio::test]
async fn a_schema_without_tables_wants_a_migration_by_whomever() {
    let Some(url) = servers::postgres_url() else {
        return;
    };
    let options = PostgresOptions {
        schema: format!("{PREFIX}{}", Uuid::now_v7().simple()),
        ..PostgresOptions::default()
    };
    let connect: PgConnectOptions = url.parse().unwrap();
    let ours = PostgresEventStore::connect_with(connect.clone(), options.clone())
        .await
        .unwrap();
    let manager = payments(ours);
    let log_id = LogId::new();
    for _ in 0..2 {
        let refused = manager
            .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
            .await;
        assert!(
            matches!(
                refused,
                Err(LogManagerError::Store(StoreError::NotMigrated {
                    found: 0,
                    needed: 3
                }))
            ),
            "{refused:?}"
        );
    }
    // After another process has migrated, this store works without a restart.
    let theirs = PostgresEventStore::connect_with(connect, options)
        .await
        .unwrap();
    theirs.migrate().await.unwrap();
    theirs
        .migrate()
        .await
        .expect("a second migration changes nothing");
    manager
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
}

/// The tables of version 1 had no subscriptions.
#[tokio::test]
async fn a_schema_of_an_older_version_is_migrated_and_keeps_its_events() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = LogId::new();
    let voided = PaymentEvent::Voided;
    let state = payments(store.store.clone())
        .create(&log_id, &voided, &CreateOptions::default())
        .await
        .unwrap();
    for statement in [
        "drop table subscriptions",
        "drop table checkpoints",
        "drop table parked_logs",
        "drop table skipped_events",
        "drop table row_keys",
        "drop function release_claims",
        "update meta set schema_version = 1",
        "create table checkpoints (mine text)",
    ] {
        store.execute(statement).await;
    }
    let open = || PostgresEventStore::connect_with(store.connect.clone(), store.options.clone());
    let old = open().await.unwrap();
    let refused = EventFeed::head(&old).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::NotMigrated {
                found: 1,
                needed: 3
            })
        ),
        "{refused:?}"
    );
    let refused = old.migrate().await;
    assert!(
        matches!(
            refused,
            Err(StoreError::UnrelatedTable {
                table: "checkpoints",
                ..
            })
        ),
        "{refused:?}"
    );
    store.execute("drop table checkpoints").await;
    old.migrate().await.unwrap();
    let payments = payments(old);
    let none = AppendOptions::default();
    payments.append(state, &voided, &none).await.unwrap();
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(payment.through_index(), 1);
}

#[tokio::test]
async fn a_schema_of_a_newer_version_or_of_somebody_else_is_refused() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    store.execute("update meta set schema_version = 99").await;
    let refused =
        PostgresEventStore::connect_with(store.connect.clone(), store.options.clone()).await;
    assert!(
        matches!(
            refused,
            Err(OpenError::Store(StoreError::NewerSchema {
                found: 99,
                supported: 3
            }))
        ),
        "{refused:?}"
    );
    let refused = store.store.migrate().await;
    assert!(
        matches!(refused, Err(StoreError::NewerSchema { .. })),
        "{refused:?}"
    );

    store.execute("drop table meta").await;
    let refused = store.another().await.migrate().await;
    assert!(
        matches!(
            refused,
            Err(StoreError::UnrelatedTable {
                table: "events",
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_restore_into_another_server_begins_a_new_epoch() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    captured(&payments(store.store.clone())).await;
    store
        .execute("update meta set system_identifier = 17")
        .await;
    store.another().await.migrate().await.unwrap();
    captured(&payments(store.store.clone())).await;
    store.another().await.migrate().await.unwrap();
    let rows = sqlx::query("select epoch, count(*) from events group by epoch order by epoch")
        .fetch_all(&mut store.connection().await)
        .await
        .unwrap();
    let epochs: Vec<(i32, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(epochs, [(1, 2), (2, 2)]);
}
