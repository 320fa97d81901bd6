use eventlogs::Event;

#[derive(Debug)]
pub enum LockEvent {
    Turned,
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(flatten)]
    Lock(LockEvent),
    Opened,
}

fn main() {}
