use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{Aggregate, AppendOptions, LogManager, LogManagerOptions, MemoryAggregationCache, event_handler, ids::LogId};

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

async fn append(id: LogId) {
    let door = doors().reduce(id).await.unwrap().into_aggregate();
    doors().append(door, &DoorEvent::Opened, AppendOptions::NONE).await.unwrap();
}

fn main() {}
