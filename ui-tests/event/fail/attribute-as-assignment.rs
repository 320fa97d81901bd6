use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event = "door.opened"]
    Opened,
}

fn main() {}
