use eventlogs::{Event, event_handler};

#[derive(Event)]
pub enum DoorEvent {
    Opened,
    #[event(retired)]
    Painted,
}

#[derive(Default)]
pub struct Door {
    times: u32,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.times += 1;
    }
}

fn main() {}
