use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(retired = true)]
    Opened,
    #[event(retired, retired)]
    Closed,
    #[event(flatten, retired, accept(2 = closed))]
    Lock(LockEvent),
    Painted {
        #[event(retired)]
        colour: u8,
    },
}

#[derive(Event)]
pub enum LockEvent {
    Locked,
}

fn main() {}
