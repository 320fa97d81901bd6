#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { hours: u32 },
    Closed,
    Locked,
    Painted,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on("opened")]
    fn open(&mut self, hours: u32) {}

    #[on = "Closed"]
    fn close(&mut self) {}

    #[on(event = Locked)]
    fn lock(&mut self) {}

    #[on(Painted => paint)]
    fn paint(&mut self) {}

    #[on(Opened { hours: u32 })]
    fn open_hours(&mut self, hours: u32) {}
}

fn main() {}
