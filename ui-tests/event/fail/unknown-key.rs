use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(nmae = "door.opened")]
    Opened,
}

fn main() {}
