//! The library under another name.

#![deny(warnings)]

mod vendor {
    pub mod sourcing {
        pub use ::eventlogs::*;
    }
}

use vendor::sourcing::{Aggregate, Event, event_handler};

#[derive(Event)]
#[event(crate = crate::vendor::sourcing, codec = "msgpack")]
pub enum DoorEvent {
    Opened { hours: u32 },
    Closed,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, crate = crate::vendor::sourcing, cache(every = 2, when = is_open))]
pub struct Door {
    hours: u32,
}

fn is_open(door: &vendor::sourcing::Aggregation<Door>) -> bool {
    door.aggregate().hours > 0
}

#[event_handler(DoorEvent, crate = crate::vendor::sourcing, ignore(Closed))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.hours += hours;
    }
}

fn main() {
    assert_eq!(Door::name(), "Door");
    assert_eq!(DoorEvent::Closed.event_type().name, "Closed");
    assert_eq!(DoorEvent::Opened { hours: 1 }.event_type().name, "Opened");
}
