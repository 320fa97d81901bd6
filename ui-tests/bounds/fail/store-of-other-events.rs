use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{Aggregate, LogManager, LogManagerOptions, MemoryAggregationCache, event_handler};

#[derive(Clone)]
pub enum DoorEvent {
    Opened,
}

pub enum WindowEvent {
    Opened,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

fn main() {
    let store = FakeEventStore::<WindowEvent>::default();
    let cache = MemoryAggregationCache::default();
    LogManager::<Door>::new(store, cache, LogManagerOptions::default());
}
