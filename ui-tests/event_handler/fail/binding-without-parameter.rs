#![allow(unused_variables)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed(u32),
    Locked,
}

#[derive(Default)]
pub struct Door {
    hours: u32,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened { hours, by: _ })]
    fn open(&mut self) {
        self.hours += hours;
    }

    #[on(Closed(hours))]
    fn close(&mut self) {}

    #[on(event @ Locked)]
    fn lock(&mut self) {}
}

fn main() {}
