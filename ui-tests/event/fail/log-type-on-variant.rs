use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(log_type = "door")]
    Opened,
}

fn main() {}
