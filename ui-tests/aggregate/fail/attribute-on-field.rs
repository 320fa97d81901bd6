use eventlogs::{Aggregate, event_handler};

pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone, Aggregate)]
pub struct Door {
    #[aggregate(event = DoorEvent)]
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
