use eventlogs::event_handler;

pub enum DoorEvent {
    Opened,
    Closed,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent, ignore(Closed))]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

#[event_handler(DoorEvent, ignore(Opened))]
impl Door {
    #[on(Closed)]
    fn close(&mut self) {
        self.open = false;
    }
}

fn main() {}
