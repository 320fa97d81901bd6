use eventlogs::event_handler;
use eventlogs::EventRecord;

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
    fn open(&mut self, record: &impl EventRecord<DoorEvent>) {
        self.open = record.index() == 0;
    }


    #[on(Closed)]
    fn close(&mut self) {
        self.open = false;
    }
}

fn main() {}
