//! Retries the creation of a log with the same idempotency key.

use super::counter::{TestAggregate, TestEvent};
use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{CreateOptions, LogManager, LogManagerError, LogManagerOptions, ids::LogId};
use std::error::Error;

/// Creates a log twice with one idempotency key.
#[tokio::main]
pub(super) async fn run() -> Result<(), Box<dyn Error>> {
    let log_manager = LogManager::<TestAggregate>::new(
        FakeEventStore::new(),
        FakeAggregationCache::new(),
        LogManagerOptions::default(),
    );
    let create_options = CreateOptions {
        idempotency_key: Some(uuid::Uuid::now_v7().to_string()),
        ..Default::default()
    };
    for attempt in 1..=2 {
        let result = log_manager
            .create(&LogId::new(), &TestEvent::Increment, &create_options)
            .await;
        if let Err(LogManagerError::IdempotentReplay { log_id, .. }) = result {
            // a log was already created using that same idempotency key
            // and the log_id field of the error contains the log_id of
            // that previously-created log
            println!("Attempt {attempt} is a replay of the creation of log {log_id}.");
        } else {
            println!("Attempt {attempt} created log {}.", result?.log_id());
        }
    }
    Ok(())
}
