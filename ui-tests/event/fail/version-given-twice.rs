use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 1)]
    #[event(version = 1)]
    Opened,
}

fn main() {}
