use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent, ingore(Closed))]
impl Door {
    #[on(Opened)]
    async fn open<T>(&self, (a, b): (u32, u32)) -> bool {
        a > b
    }

    #[on(DoorEvent::Closed)]
    unsafe fn close(&mut self, #[record(now)] record: &u8) {}

    #[on(Opened { hours: 1, by })]
    fn again(&mut self, times: u32) {}
}

fn main() {}
