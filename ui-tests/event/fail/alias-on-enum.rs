use eventlogs::Event;

#[derive(Event)]
#[event(alias = "gate")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
