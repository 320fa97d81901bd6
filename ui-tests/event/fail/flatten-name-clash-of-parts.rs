use eventlogs::Event;

#[derive(Event)]
pub enum LockEvent {
    #[event(name = "closed")]
    Locked,
}

#[derive(Event)]
pub enum HandleEvent {
    #[event(name = "closed")]
    Shut,
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(flatten)]
    Lock(LockEvent),
    #[event(name = "opened")]
    Opened,
    #[event(flatten)]
    Handle(HandleEvent),
}

fn main() {}
