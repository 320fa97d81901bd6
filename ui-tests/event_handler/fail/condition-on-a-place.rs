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

#[event_handler(DoorEvent, ignore(Opened))]
impl Door {
    #[on(Closed(width, height))]
    fn close(&mut self, width: u32, #[cfg(haunted)] height: u32) {
        self.hours += width;
    }
}

fn main() {}
