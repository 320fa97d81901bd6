use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub struct Door;

pub struct Db;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened | Closed)]
    fn change(&mut self, #[context] db: &mut Db) {
        let _ = db;
    }
}

fn main() {}
