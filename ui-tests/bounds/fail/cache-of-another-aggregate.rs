use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{Aggregate, LogManager, LogManagerOptions, MemoryAggregationCache, event_handler};

#[derive(Clone)]
pub enum DoorEvent {
    Opened,
}

#[derive(Clone)]
pub struct Window {
    open: bool,
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
    let store = FakeEventStore::<DoorEvent>::default();
    let cache = MemoryAggregationCache::<Window>::default();
    LogManager::<Door>::new(store, cache, LogManagerOptions::default());
}
