#![allow(unused_variables)]

use eventlogs::{Event, event_handler};

#[derive(Event)]
pub enum DoorEvent {
    Opened(u32),
    Closed(u32, String),
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {}

    #[on(Closed)]
    fn close(&mut self, hours: u32) {}
}

fn main() {}
