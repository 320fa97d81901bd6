use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 0)]
    Opened,
}

fn main() {}
