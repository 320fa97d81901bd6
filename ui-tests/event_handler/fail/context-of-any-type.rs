use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub struct Door;

pub trait Database {}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    async fn open(&self, hours: u32) {
        let _ = hours;
    }

    #[on(Closed)]
    async fn close(&self, #[context] db: &mut impl Database) {
        let _ = db;
    }
}

fn main() {}
