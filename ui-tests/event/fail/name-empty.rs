use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(name = "")]
    Opened,
}

fn main() {}
