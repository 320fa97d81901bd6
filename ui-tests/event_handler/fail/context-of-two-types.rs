use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub struct Door;

pub struct Db;

pub struct Index;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    async fn open(&self, #[context] db: &mut Db) {
        let _ = db;
    }

    #[on(Closed)]
    async fn close(&self, #[context] index: &mut Index) {
        let _ = index;
    }
}

fn main() {}
