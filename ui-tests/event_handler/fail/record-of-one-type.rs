#![allow(unused_variables)]

use eventlogs::{EventRecord, RecordedEvent, event_handler};

pub enum DoorEvent {
    Opened,
    Closed,
    Locked,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, #[record] record: &RecordedEvent<DoorEvent>) {}

    #[on(Closed)]
    fn close(&mut self, #[record] record: impl EventRecord<DoorEvent>) {}

    #[on(Locked)]
    fn lock(&mut self, record: &RecordedEvent<DoorEvent>) {}
}

fn main() {}
