use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened,
    #[event(name = "Opened")]
    Closed,
}

fn main() {}
