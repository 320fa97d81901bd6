use eventlogs::Event;

fn opened_from_v1(minutes: u32) -> DoorEvent {
    DoorEvent::Opened { hours: minutes / 60 }
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 2, upcast(1 = opened_from_v1), accept(1 = opened_from_v1))]
    Opened { hours: u32 },
}

fn main() {}
