use eventlogs::Event;

fn opened_from_v4(minutes: u32) -> DoorEvent {
    DoorEvent::Opened { hours: minutes / 60 }
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(accept(2 = opened_from_v4, 4 = opened_from_v4))]
    Opened { hours: u32 },
}

fn main() {}
