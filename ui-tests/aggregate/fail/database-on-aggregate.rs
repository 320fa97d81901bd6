use eventlogs::{event_handler, Aggregate};

pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, database = elsewhere)]
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
