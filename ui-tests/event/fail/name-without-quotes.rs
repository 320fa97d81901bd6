use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(name = door.opened)]
    Opened,
}

fn main() {}
