use eventlogs::Event;

#[derive(serde::Deserialize)]
pub struct OpenedV2 {
    minutes: u32,
}

fn opened_from_v2(new: OpenedV2) -> DoorEvent {
    DoorEvent::Opened { hours: new.minutes / 60 }
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 2, upcast(1 = opened_from_v2), accept(2 = opened_from_v2))]
    Opened { hours: u32 },
    #[event(accept(0 = opened_from_v2, 1 = opened_from_v2))]
    Closed,
}

fn main() {}
