use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        by: Vec<&'static str>,
        width: (u32, &'static str),
        keys: [&'static [u8]; 2],
        note: Box<&'static str>,
    },
}

fn main() {}
