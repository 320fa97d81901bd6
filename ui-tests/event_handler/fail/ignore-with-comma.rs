use eventlogs::event_handler;

pub enum DoorEvent {
    Opened,
    Closed,
    Locked,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent, ignore(Closed, Locked))]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {}
}

fn main() {}
