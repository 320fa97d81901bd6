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
    #[on(Opened { hours: 0..=12, .. })]
    fn open(&mut self) {
        self.open = true;
    }

    #[on(Opened { hours: 3, .. })]
    fn open_for_three_hours(&mut self) {}

    #[on(Opened)]
    fn open_for_long(&mut self) {}


    #[on(Closed)]
    fn close(&mut self) {
        self.open = false;
    }
}

fn main() {}
