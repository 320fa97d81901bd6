//! Each aggregate ignores what it does not need.

#![deny(warnings)]

use eventlogs::{Aggregate, EventHandler, EventRecord, event_handler};

pub enum DoorEvent {
    Opened,
    Closed,
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

    #[on(Closed)]
    fn close(&mut self) {
        self.open = false;
    }
}

/// An enum as an aggregate.
#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(never))]
pub enum Wear {
    #[default]
    Event,
    Used,
}

#[event_handler(DoorEvent, ignore(Closed))]
impl Wear {
    #[on(Opened)]
    fn wear(&mut self) {
        *self = Self::Used;
    }
}

/// A derived aggregate with handlers written by hand.
#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Count(u64);

impl EventHandler<DoorEvent> for Count {
    fn handle(&mut self, event_record: &impl EventRecord<DoorEvent>) {
        self.0 = event_record.index() + 1;
    }
}

/// An aggregate with handlers for two enums, reduced from one of them.
pub enum BellEvent {
    Rang,
}

#[event_handler(BellEvent)]
impl Door {
    #[on(Rang)]
    fn answer(&mut self) {
        self.open = true;
    }
}

fn main() {
    assert_eq!(Door::name(), "Door");
    assert_eq!(Wear::name(), "Wear");
    assert_eq!(Count::name(), "Count");
    assert!(!Door::default().open);
}
