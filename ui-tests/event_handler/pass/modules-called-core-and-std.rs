//! User modules with the names of the crates that generated code needs.

#![deny(warnings)]

mod core {}
mod std {}
mod alloc {}
mod serde {}
mod eventlogs {}

use ::eventlogs::{Aggregate, Aggregation, Event, event_handler};

#[derive(Event)]
pub enum DoorEvent {
    Opened { hours: u32 },
    Closed,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(min_events = 1, ttl = "5m", when = is_open))]
pub struct Door {
    hours: u32,
}

fn is_open(door: &Aggregation<Door>) -> bool {
    door.aggregate().hours > 0
}

#[event_handler(DoorEvent, ignore(Closed))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.hours += hours;
    }
}

// The names of the prelude, for other items.
#[allow(non_camel_case_types, dead_code)]
mod types {
    pub struct Result;
    pub struct Option;
    pub struct Ok;
    pub struct Err;
    pub trait Clone {}
    pub struct String;
    pub struct __S;

    #[derive(::eventlogs::Event)]
    pub enum WindowEvent {
        Opened { hours: u32 },
        Closed(u32),
    }

    #[derive(Default)]
    pub struct Window {
        hours: u32,
    }

    #[::eventlogs::event_handler(WindowEvent)]
    impl Window {
        #[on(Opened { hours } | Closed(hours))]
        fn note(&mut self, hours: u32) {
            self.hours += hours;
        }
    }
}

fn main() {
    assert_eq!(Door::default().hours, 0);
    assert_eq!(DoorEvent::Closed.event_type().name, "Closed");
    assert_eq!(DoorEvent::Opened { hours: 1 }.event_type().name, "Opened");
}
