#![allow(unexpected_cfgs)]

use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed(u32, u32),
}

#[derive(Default)]
pub struct Door {
    hours: u32,
}

#[event_handler(DoorEvent, ignore(Closed))]
impl Door {
    #[cfg_attr(all(), on(Opened))]
    const HOURS: u32 = 1;

    #[on(Opened)]
    fn open(&mut self) {
        self.hours += Self::HOURS;
    }
}

fn main() {}
