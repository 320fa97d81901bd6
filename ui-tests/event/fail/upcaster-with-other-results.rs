use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 2, upcast(1 = several))]
    Opened { hours: u32 },
    #[event(version = 2, upcast(1 = fallible))]
    Closed,
}

fn several(hours: u32) -> Vec<DoorEvent> {
    vec![DoorEvent::Opened { hours }]
}

fn fallible(_: u32) -> Result<DoorEvent, String> {
    Ok(DoorEvent::Closed)
}

fn main() {}
