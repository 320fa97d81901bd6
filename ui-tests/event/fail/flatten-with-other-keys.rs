use eventlogs::Event;

#[derive(Event)]
pub enum LockEvent {
    #[event(name = "lock.turned")]
    Turned,
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(flatten, name = "lock", alias = "key", version = 2, upcast(1 = from_v1))]
    Lock(LockEvent),
}

fn main() {}
