use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hour: u32) {
        self.open = hour > 0;
    }


    #[on(Closed)]
    fn close(&mut self) {
        self.open = false;
    }
}

fn main() {}
