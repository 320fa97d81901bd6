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

#[event_handler(DoorEvent)]
impl Door {
    #[cfg_attr(any(), inline, cfg_attr(haunted, eventlogs::on(Opened)))]
    fn open(&mut self, hours: u32) {
        self.hours += hours;
    }

    #[on(Closed(hours, _))]
    fn close(&mut self, hours: u32) {
        self.hours += hours;
    }
}

fn main() {}
