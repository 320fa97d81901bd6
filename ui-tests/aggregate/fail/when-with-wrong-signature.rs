use eventlogs::{event_handler, Aggregate};

pub enum DoorEvent {
    Opened,
}

fn is_open(door: &Door) -> bool {
    door.open
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(when = is_open))]
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
