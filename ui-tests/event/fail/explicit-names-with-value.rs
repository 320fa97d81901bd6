use eventlogs::Event;

#[derive(Event)]
#[event(explicit_names = true)]
pub enum DoorEvent {
    Opened,
}

fn main() {}
