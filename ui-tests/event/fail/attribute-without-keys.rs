use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event]
    Opened,
}

fn main() {}
