use eventlogs::Event;

#[derive(Event)]
#[event(accept(2 = opened_from_v2), retired)]
pub enum DoorEvent {
    Opened,
}

fn main() {}
