use eventlogs::Event;

fn opened_from_v1(hours: u32) -> u32 {
    hours * 60
}

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = 2, upcast(1 = opened_from_v1))]
    Opened { minutes: u32 },
}

fn main() {}
