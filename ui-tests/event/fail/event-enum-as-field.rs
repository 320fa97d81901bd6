use eventlogs::Event;

#[derive(Event)]
pub enum LockEvent {
    #[event(name = "lock.turned")]
    Turned,
}

#[derive(Event)]
pub enum DoorEvent {
    Lock(LockEvent),
}

fn main() {}
