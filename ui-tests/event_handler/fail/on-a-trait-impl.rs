use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub trait Opens {
    fn open(&mut self);
}

pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent, ignore(Closed))]
impl Opens for Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

fn main() {}
