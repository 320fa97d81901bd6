use eventlogs::Event;

#[derive(Event)]
#[event(log_type = "front door")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
