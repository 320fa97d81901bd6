use eventlogs::{event_handler, Aggregate};

pub enum DoorEvent {
    Opened,
}

#[derive(Clone)]
pub struct NotSend(*const u8);

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Door {
    open: bool,
    keys: Option<NotSend>,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

fn main() {}
