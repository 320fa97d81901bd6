use eventlogs::Event;

pub struct Protobuf;

#[derive(Event)]
#[event(codec = Protobuf)]
pub enum DoorEvent {
    Opened,
}

fn main() {}
