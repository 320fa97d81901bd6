use eventlogs::Event;

#[derive(Event)]
#[event(log_type_alias = "gate", log_type_alias = "gate")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
