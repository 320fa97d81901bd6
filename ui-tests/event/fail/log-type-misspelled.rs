use eventlogs::Event;

#[derive(Event)]
#[event(logtype = "door")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
