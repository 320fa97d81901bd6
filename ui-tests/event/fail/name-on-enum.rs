use eventlogs::Event;

#[derive(Event)]
#[event(name = "door")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
