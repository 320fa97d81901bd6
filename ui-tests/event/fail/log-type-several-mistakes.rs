use eventlogs::Event;

#[derive(Event)]
#[event(log_type = "front door", log_type_alias = "gate", log_type_alias = "gate", logtype_alias = "x")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
