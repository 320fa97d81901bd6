//! Options at the ends of their ranges.

use crate::payments::{captured, payments};
use crate::postgres::TestStore;
use eventlogs::{PostgresEventStore, PostgresOptions};
use std::time::Duration;

#[tokio::test]
async fn no_option_is_too_large_or_too_small() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = captured(&payments(store.store.clone())).await;
    let usual = || store.options.clone();
    let month = Duration::from_hours(30 * 24);
    let extremes = [
        PostgresOptions {
            lock_timeout: Duration::MAX,
            ..usual()
        },
        PostgresOptions {
            lock_timeout: month,
            ..usual()
        },
        PostgresOptions {
            lock_timeout: Duration::ZERO,
            ..usual()
        },
        PostgresOptions {
            max_connections: 0,
            ..usual()
        },
        PostgresOptions {
            max_connections: u32::MAX,
            ..usual()
        },
        PostgresOptions {
            silence: Some(Duration::MAX),
            ..usual()
        },
        PostgresOptions {
            silence: Some(Duration::ZERO),
            ..usual()
        },
        PostgresOptions {
            timeout: Duration::MAX,
            ..usual()
        },
        PostgresOptions {
            timeout: Duration::MAX,
            silence: Some(Duration::MAX),
            ..usual()
        },
    ];
    for options in extremes {
        let said = format!("{options:?}");
        let writes = options.timeout < Duration::MAX;
        let opened = PostgresEventStore::connect_with(store.connect.clone(), options).await;
        let opened = opened.expect(&said);
        let manager = payments(opened.clone());
        let records = manager.load(&log_id, 0, 10).await.expect(&said);
        assert_eq!(records.len(), 2, "{said}");
        opened
            .prune_idempotency_keys(Duration::MAX)
            .await
            .expect(&said);
        if writes {
            captured(&manager).await;
        }
        opened.close().await;
    }
}
