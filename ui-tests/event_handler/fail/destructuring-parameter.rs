use eventlogs::event_handler;

#[derive(Clone)]
pub struct Time {
    hours: u32,
}

pub enum DoorEvent {
    Opened { at: Time },
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, Time { hours }: Time) {
        self.open = hours > 0;
    }
}

fn main() {}
