use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(codec = "msgpack")]
    Opened,
}

fn main() {}
