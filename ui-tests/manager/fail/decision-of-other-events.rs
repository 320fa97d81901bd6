use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{Aggregate, DecideOptions, LogManager, LogManagerOptions, MemoryAggregationCache, event_handler, ids::LogId};

#[derive(Clone)]
pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Door {
    times: u32,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.times += 1;
    }
}

fn doors() -> LogManager<Door> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(FakeEventStore::new(), cache, LogManagerOptions::default())
}

async fn decide(id: LogId) {
    doors().decide(id, DecideOptions::NONE, |_| Ok::<_, String>("opened")).await.unwrap();
}

fn main() {}
