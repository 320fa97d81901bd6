#![deny(private_interfaces)]

use eventlogs::Event;

#[derive(serde::Serialize, serde::Deserialize)]
struct Key(u32);

#[derive(Event)]
pub enum DoorEvent {
    Opened { key: Key },
    Closed(Key),
}

fn main() {}
