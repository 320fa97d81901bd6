use eventlogs::Event;

#[derive(Event)]
pub enum LockEvent {
    #[event(name = "lock.turned", alias = "door.opened")]
    Turned,
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(flatten)]
    Lock(LockEvent),
    #[event(name = "door.opened")]
    Opened,
}

fn main() {}
