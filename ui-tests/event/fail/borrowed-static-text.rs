use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        by: &'static str,
    },
}

fn main() {}
