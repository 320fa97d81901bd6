use eventlogs::Event;

#[derive(Event)]
#[event(log_type = "")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
