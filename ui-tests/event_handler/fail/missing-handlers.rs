use eventlogs::event_handler;

pub enum DoorEvent {
    Opened(u32),
    Closed,
    Shut,
    Locked { by: String },
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Shut)]
    fn shut(&mut self) {
        self.open = false;
    }
}

fn main() {}
