use eventlogs::event_handler;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

#[event_handler(DoorEvent)]
pub struct Door;

fn main() {}
