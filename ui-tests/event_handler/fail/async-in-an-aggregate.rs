use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub struct Door;

pub struct Db;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened { hours: 1.., .. })]
    fn open(&mut self) {}

    #[on(Opened { hours: 0, .. })]
    fn open_hardly(&mut self) {}

    #[on(Closed)]
    async fn close(&self, #[context] db: &mut Db) -> Result<(), String> {
        let _ = db;
        Ok(())
    }
}

fn main() {}
