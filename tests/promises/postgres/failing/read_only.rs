//! Servers that accept only reads.

use crate::payments::{PaymentEvent, captured, payments};
use crate::postgres::TestStore;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{
    AppendOptions, LogManagerError, LogState, PostgresEventStore, PostgresOptions, TargetSession,
};
use std::error::Error;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_server_that_only_reads_is_recognised() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = captured(&payments(store.store.clone())).await;
    let standby = store
        .connect
        .clone()
        .options([("default_transaction_read_only", "on")]);
    let standby = PostgresEventStore::connect_with(standby, store.options.clone())
        .await
        .unwrap();
    let manager = payments(standby);
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
    let refused = manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::ReadOnly { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_several_servers_the_one_that_writes_is_used() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let writes = store.connect.clone();
    let reads = writes
        .clone()
        .options([("default_transaction_read_only", "on")]);
    let nobody = writes.clone().port(1);
    let servers = [nobody.clone(), reads.clone(), writes];
    let manager = PostgresEventStore::connect_any(servers, store.options.clone()).await;
    captured(&payments(manager.unwrap())).await;

    let open = |target_session| {
        let options = PostgresOptions {
            target_session,
            ..store.options.clone()
        };
        PostgresEventStore::connect_any([nobody.clone(), reads.clone()], options)
    };
    for target in [None, Some(TargetSession::ReadWrite)] {
        let error = open(target).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Store(StoreError::NoPrimary { .. })),
            "{error:?}"
        );
        assert!(
            error
                .source()
                .is_some_and(|source| source.to_string().starts_with("1 of 2 servers"))
        );
    }
    // The server is not a standby, so it counts as a primary and as any server.
    for target in [TargetSession::Primary, TargetSession::Any] {
        open(Some(target)).await.unwrap();
    }
}

/// The caller gets the error immediately: no statement was sent that may have taken effect.
#[tokio::test]
async fn a_write_that_is_not_in_doubt_is_refused_at_once() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = captured(&payments(store.store.clone())).await;
    let reads = [("default_transaction_read_only", "on")];
    let reads = store.connect.clone().options(reads);
    let reading = PostgresEventStore::connect_with(reads, store.options.clone());
    let manager = payments(reading.await.unwrap());
    let none = AppendOptions::default();
    let begun = Instant::now();
    let state = LogState::at(log_id, 1);
    let refused = manager.append(state, &PaymentEvent::Voided, &none);
    let error = refused.await.unwrap_err();
    let LogManagerError::Store(error @ StoreError::ReadOnly { .. }) = error else {
        panic!("{error:?}");
    };
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(error.to_string().contains("primary"), "{error}");
    assert!(!error.to_string().contains("file"), "{error}");
}
