use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{LogManager, LogManagerOptions, MemoryAggregationCache};

#[derive(Clone)]
pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone)]
pub struct Door {
    open: bool,
}

fn main() {
    let store = FakeEventStore::<DoorEvent>::default();
    let cache = MemoryAggregationCache::default();
    LogManager::<Door>::new(store, cache, LogManagerOptions::default());
}
