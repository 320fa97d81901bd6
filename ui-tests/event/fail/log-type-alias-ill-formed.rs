use eventlogs::Event;

#[derive(Event)]
#[event(log_type_alias = "front door")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
