use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(flatten)]
    Opened,
}

fn main() {}
