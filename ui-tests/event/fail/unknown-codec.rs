use eventlogs::Event;

#[derive(Event)]
#[event(codec = "mspack")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
