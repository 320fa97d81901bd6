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
    #[on(Opened)]
    fn open(&mut self, #[cfg_attr(haunted, cfg(locked))] hours: u32) {
        self.hours += hours;
    }
}

fn main() {}
