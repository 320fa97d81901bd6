#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { hours: u32 },
    Closed,
    Locked,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Closed, Locked)]
    fn close(&mut self) {}

    #[on(Opened, hours)]
    fn open(&mut self, hours: u32) {}
}

fn main() {}
