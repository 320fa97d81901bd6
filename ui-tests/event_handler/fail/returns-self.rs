#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(self) -> Self {
        self
    }
}

fn main() {}
