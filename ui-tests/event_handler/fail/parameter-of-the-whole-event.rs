#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { hours: u32 },
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, event: &DoorEvent) {}
}

fn main() {}
