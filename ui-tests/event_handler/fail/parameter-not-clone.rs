#![allow(unused_variables)]

use eventlogs::event_handler;

pub struct Key;

pub enum DoorEvent {
    Opened(Key),
    Closed { keys: Vec<Key> },
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened(key))]
    fn open(&mut self, key: Key) {}

    #[on(Closed)]
    fn close(&mut self, keys: Vec<Key>) {}
}

fn main() {}
