#![allow(unused_variables)]

use eventlogs::{Event, event_handler};

#[derive(Event)]
pub enum DoorEvent {
    Opened { hours: u32 },
    Closed,
    Locked,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {}

    #[on(Closed)]
    fn close(&mut self) {}
}

pub struct Window;

#[event_handler(DoorEvent)]
impl Window {
    #[on(Closed)]
    async fn close(&self) {}
}

pub struct Gate;

#[event_handler(DoorEvent, ignore(Closed))]
impl Gate {
    #[on(Opened { hours: 0 })]
    fn open(&mut self) {}

    #[on(Lockd)]
    fn lock(&mut self) {}
}

fn main() {}
