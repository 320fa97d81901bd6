use eventlogs::Event;

#[derive(Event)]
#[event(log_type = "door", log_type = "gate")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
