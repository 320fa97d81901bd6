use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { hours: u32 },
    Shut(u32),
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened { hours, .. } | Shut(..))]
    fn open(&mut self, hours: u32) {
        self.open = hours > 0;
    }
}

fn main() {}
