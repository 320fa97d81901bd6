use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = "2")]
    Opened,
}

fn main() {}
