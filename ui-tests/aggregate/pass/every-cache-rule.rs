//! All rules of `cache(…)`, with values and with constants.

#![deny(warnings)]

use eventlogs::{Aggregate, Aggregation, event_handler};
use std::time::Duration;

pub enum DoorEvent {
    Opened,
}

mod limits {
    use std::time::Duration;

    pub const LEAST: u64 = 10;
    pub const MOST: u64 = 1_000;
    pub const TTL: Duration = Duration::from_secs(60);
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
#[aggregate(cache(
    min_events = 10,
    max_events = 1_000,
    every = 5,
    min_age = "500ms",
    max_age = "7d",
    ttl = "1h",
    when = Door::is_open,
))]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }

    fn is_open(door: &Aggregation<Self>) -> bool {
        door.aggregate().open
    }
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(min_events = limits::LEAST, max_events = limits::MOST, ttl = limits::TTL))]
pub struct Window {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Window {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

fn main() {
    assert_eq!(Door::CACHE.entry_ttl(), Some(Duration::from_secs(3600)));
    assert_eq!(Window::CACHE.entry_ttl(), Some(Duration::from_secs(60)));
    assert!(!Window::default().open);
}
