use eventlogs::{Event, event_handler};

#[derive(Event)]
pub enum DoorEvent {
    Opened,
}

#[derive(Default)]
pub struct Door {
    times: u32,
}

#[event_handler(DoorEvent, ignore(retired))]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.times += 1;
    }
}

fn main() {}
