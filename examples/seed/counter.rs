use std::error::Error;
use eventlogs::{ids::LogId, LogManager, LogManagerOptions, CreateOptions,
    AppendOptions, Aggregate, EventRecord};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::caches::fake::FakeAggregationCache;

/// Events are typically defined as members of an enum.
/// properties for events can be defined as fields on
/// the enum variant.
#[derive(Debug, Clone)]
pub enum TestEvent {
    Increment,
    Decrement,
}

/// An Aggregate is a simple struct with fields that get
/// calculated from the events recorded in the log. Note that
/// Aggregates must implement the Aggregate and Default traits.
#[derive(Debug, Default, Clone)]
pub struct TestAggregate {
    pub count: isize,
}

impl Aggregate for TestAggregate {
    type Event = TestEvent;
    fn apply(&mut self, event_record: &impl EventRecord<Self::Event>) {
        match event_record.event() {
            TestEvent::Increment => self.count += 1,
            TestEvent::Decrement => self.count -= 1,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // This uses testing fakes, but you would use PostgresEventStore
    // RedisAggregationCache configured to point to your servers.
    let log_manager = LogManager::new(
        FakeEventStore::<TestEvent>::new(),
        FakeAggregationCache::<TestAggregate>::new(),
        LogManagerOptions::default(),
    );
    
    // Create a new log with an Increment event as the first event.
    let log_id = LogId::new();
    log_manager.create(&log_id, &TestEvent::Increment, &CreateOptions::default()).await?;
    
    // Reduce the log to get the current state. The TestAggregate
    // will be cached automatically on a background task, so it won't
    // slow down your code.
    let aggregation = log_manager.reduce(&log_id).await?;
    assert_eq!(aggregation.aggregate().count, 1);

    // Append another event, this time a Decrement.
    log_manager.append(aggregation, &TestEvent::Decrement, &AppendOptions::default()).await?;

    // Re-reduce to apply the new event. The cached aggregate will
    // be used and only the new event will be fetched from the database.
    let aggregation = log_manager.reduce(&log_id).await?;
    assert_eq!(aggregation.aggregate().count, 0);

    Ok(())
}
