use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        key: &'static [u8],
    },
}

fn main() {}
