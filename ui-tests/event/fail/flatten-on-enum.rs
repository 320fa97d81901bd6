use eventlogs::Event;

#[derive(Event)]
#[event(flatten)]
pub enum DoorEvent {
    Opened,
}

fn main() {}
