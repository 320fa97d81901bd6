use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{LogManager, LogManagerOptions, RedisAggregationCache, event_handler};

#[derive(Clone)]
pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone, serde::Serialize, serde::Deserialize, eventlogs::Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Door {
    open: bool,
    #[serde(skip)]
    times: u32,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
        self.times += 1;
    }
}

async fn logs() -> Result<LogManager<Door>, eventlogs::RedisConnectError> {
    let store = FakeEventStore::<DoorEvent>::default();
    let cache = RedisAggregationCache::<Door>::connect("redis://127.0.0.1:6379").await?;
    Ok(LogManager::new(store, cache, LogManagerOptions::default()))
}

fn main() {
    drop(logs());
}
