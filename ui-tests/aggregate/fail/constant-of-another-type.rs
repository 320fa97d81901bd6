use eventlogs::{event_handler, Aggregate};

pub enum DoorEvent {
    Opened,
}

const LEAST: u8 = 10;

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(min_events = LEAST))]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

fn main() {}
