use eventlogs::Event;

#[derive(Event)]
#[event(log_type_alias = "door")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
