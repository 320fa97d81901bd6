#![allow(unexpected_cfgs)]

use eventlogs::{EventRecord, event_handler};

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed(u32, u32),
}

#[derive(Default)]
pub struct Door {
    hours: u32,
}

#[event_handler(DoorEvent, ignore(Closed))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, #[cfg_attr(all(), record)] record: &impl EventRecord<DoorEvent>) {
        self.hours += u32::from(record.index() == 0);
    }
}

fn main() {}
