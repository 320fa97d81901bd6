use eventlogs::Event;

#[derive(Event)]
#[event(stream = "door", serializer = "json")]
pub enum DoorEvent {
    #[event(event_type = "door.opened", event_version = "1.0")]
    Opened,
    #[event(type = "door.closed")]
    Closed,
    #[event(rename = "door.locked")]
    Locked,
    #[event(upcaster(1 = from_v1), version = 2)]
    Painted,
}

fn main() {}
