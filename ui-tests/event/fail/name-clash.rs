use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(name = "door.opened")]
    Opened,
    #[event(name = "door.opened")]
    Closed,
}

fn main() {}
