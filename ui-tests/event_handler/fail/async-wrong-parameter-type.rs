use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    async fn open(&self, hours: u64) {
        let _ = hours;
    }

    #[on(Closed)]
    async fn close(&self) {}
}

fn main() {}
