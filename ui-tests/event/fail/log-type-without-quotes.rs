use eventlogs::Event;

#[derive(Event)]
#[event(log_type = door)]
pub enum DoorEvent {
    Opened,
}

fn main() {}
