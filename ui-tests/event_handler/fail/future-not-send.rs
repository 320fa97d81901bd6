use eventlogs::event_handler;
use std::rc::Rc;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

pub struct Door;

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    async fn open(&self, hours: u32) {
        let _ = hours;
    }

    #[on(Closed)]
    async fn close(&self) {
        let name = Rc::new("door");
        std::future::ready(()).await;
        drop(name);
    }
}

fn main() {}
