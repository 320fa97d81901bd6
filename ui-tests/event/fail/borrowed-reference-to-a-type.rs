use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        by: &'static String,
    },
}

fn main() {}
