use eventlogs::Event;

#[derive(serde::Serialize)]
pub struct Key;

#[derive(Event)]
pub enum DoorEvent {
    Opened(Key),
}

fn main() {}
