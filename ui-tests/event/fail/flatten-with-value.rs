use eventlogs::Event;

#[derive(Event)]
pub enum LockEvent {
    #[event(name = "lock.turned")]
    Turned,
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(flatten = LockEvent)]
    Lock(LockEvent),
}

fn main() {}
