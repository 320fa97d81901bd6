#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened,
}

pub enum WindowEvent {
    Opened,
}

pub struct Door;

#[event_handler("DoorEvent")]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {}
}

pub struct Window;

#[event_handler(DoorEvent, WindowEvent)]
impl Window {
    #[on(Opened)]
    fn open(&mut self) {}
}

pub struct Gate;

#[event_handler(DoorEvent, ignore(*))]
impl Gate {
    #[on(Opened)]
    fn open(&mut self) {}
}

pub struct Hatch;

#[event_handler(DoorEvent, ignore(..), skip(Opened))]
impl Hatch {
    #[on(Opened)]
    fn open(&mut self) {}
}

fn main() {}
