use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 40000)]
    Opened,
}

fn main() {}
