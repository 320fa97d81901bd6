use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        #[event(codec = "msgpack")]
        hours: u32,
    },
}

fn main() {}
