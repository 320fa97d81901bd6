use eventlogs::Event;

#[derive(Event)]
#[event(cache(never))]
pub enum DoorEvent {
    Opened,
}

fn main() {}
