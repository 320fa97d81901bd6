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
    #[on(Closed)]
    fn change(&mut self) {
        self.open = !self.open;
    }
}

fn main() {}
