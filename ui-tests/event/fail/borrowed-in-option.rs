use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        by: Option<&'static str>,
    },
}

fn main() {}
