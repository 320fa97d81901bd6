#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { hours: u32 },
}

pub struct Database;

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: &mut u32) {}
}

pub struct Doors;

#[event_handler(DoorEvent)]
impl Doors {
    #[on(Opened)]
    async fn open(&self, hours: u32, db: &mut Database) {}
}

fn main() {}
