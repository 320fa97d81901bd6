use eventlogs::Event;

fn opened_from_v2(minutes: u32) -> u32 {
    minutes / 60
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(accept(2 = opened_from_v2))]
    Opened { hours: u32 },
}

fn main() {}
