use eventlogs::Event;

const VERSION: u16 = 1;

#[derive(Event)]
pub enum DoorEvent {
    #[event(version = -1)]
    Opened,
    #[event(version = 1.0)]
    Closed,
    #[event(version = "v1")]
    Locked,
    #[event(version = VERSION)]
    Painted,
    #[event(version = 1k)]
    Moved,
    #[event(version = 99999999999999999999)]
    Shut,
    #[event(version(1))]
    Left,
}

fn main() {}
