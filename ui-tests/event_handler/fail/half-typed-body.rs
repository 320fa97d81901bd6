use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

// The block must be emitted, so that an editor still knows its methods.
#[event_handler(DoorEvent, ignore(Closed))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.
    }

    pub fn is_open(&self) -> bool {
        self.open
    }
}

fn main() {
    Door::default().is_open();
}
