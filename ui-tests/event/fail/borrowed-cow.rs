use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        by: std::borrow::Cow<'a, str>,
    },
}

fn main() {}
