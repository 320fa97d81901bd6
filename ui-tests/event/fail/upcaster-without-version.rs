use eventlogs::Event;

#[derive(serde::Deserialize)]
pub struct OpenedV1 {
    hours: u32,
}

fn opened_from_v1(old: OpenedV1) -> DoorEvent {
    DoorEvent::Opened { minutes: old.hours * 60 }
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(upcast(1 = opened_from_v1))]
    Opened { minutes: u32 },
}

fn main() {}
