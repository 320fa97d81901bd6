use eventlogs::Event;

fn opened_from_v2(hours: u32, minutes: u32) -> DoorEvent {
    DoorEvent::Opened { hours: hours + minutes / 60 }
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(accept(2 = opened_from_v2))]
    Opened { hours: u32 },
}

fn main() {}
