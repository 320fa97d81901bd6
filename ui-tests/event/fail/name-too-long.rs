use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(name = "door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.door.")]
    Opened,
}

fn main() {}
