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
#[cfg_attr(all(), event_handler(GhostEvent))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.hours += hours;
    }
}

fn main() {}
