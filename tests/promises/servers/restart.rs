//! A store survives the stop and the return of its server.

use super::PrivatePostgres;
use eventlogs::ids::LogId;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AppendOptions, CreateOptions, LogManager, LogManagerOptions, MemoryAggregationCache,
    PostgresEventStore,
};
use std::time::Duration;

#[tokio::test]
async fn a_store_works_on_after_its_server_was_restarted() {
    let Some(mut server) = PrivatePostgres::start(&["max_connections=20"]).await else {
        return;
    };
    let store = PostgresEventStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let counters = LogManager::<Counter>::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    let added = CounterEvent::Added { amount: 1 };
    let mut state = counters
        .create(&log_id, &added, &CreateOptions::default())
        .await
        .unwrap();
    for total in 1..3 {
        server.crash();
        server.restart().await;
        let come_back = async {
            while counters.load(&log_id, 0, 1).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), come_back)
            .await
            .expect("the store finds its server again");
        assert_eq!(
            counters.reduce(&log_id).await.unwrap().aggregate().total,
            total
        );
        state = counters
            .append(state, &added, &AppendOptions::default())
            .await
            .unwrap();
    }
}
