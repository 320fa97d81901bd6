use eventlogs::Event;

fn opened_from_v1(hours: u32, minutes: u32) -> DoorEvent {
    DoorEvent::Opened { minutes: hours * 60 + minutes }
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 2, upcast(1 = opened_from_v1))]
    Opened { minutes: u32 },
}

fn main() {}
