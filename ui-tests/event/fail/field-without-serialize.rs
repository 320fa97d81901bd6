use eventlogs::Event;

#[derive(serde::Deserialize)]
pub struct Key;

#[derive(Event)]
pub enum DoorEvent {
    Opened(Key),
}

fn main() {}
