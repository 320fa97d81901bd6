#![allow(unused_variables)]

use eventlogs::{RecordedEvent, event_handler};

pub struct Key;

pub enum DoorEvent {
    Opened { cents: u64, by: Option<String>, key: Key },
    Closed { cents: u64 },
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    async fn open(&self, cents: u32, by: Option<&str>, key: Key) {}

    #[on(Closed)]
    async fn close(&self, cents: &u32, #[record] record: &RecordedEvent<DoorEvent>) {}
}

fn main() {}
