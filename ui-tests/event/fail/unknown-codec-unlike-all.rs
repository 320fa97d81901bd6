use eventlogs::Event;

#[derive(Event)]
#[event(codec = "protobuf")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
