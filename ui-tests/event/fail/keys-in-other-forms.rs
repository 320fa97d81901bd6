use eventlogs::Event;

#[derive(Event)]
#[event("door")]
pub enum DoorEvent {
    #[event("door.opened")]
    Opened,
    #[event(name: "door.closed")]
    Closed,
    #[event(name "door.locked")]
    Locked,
    #[event(version = 2, upcast(1 => from_v1))]
    Painted,
    #[event(version = 2, upcast("1" = from_v1))]
    Moved,
    #[event(name = "door.shut", alias("shut", "slammed"))]
    Shut,
    #[event(name = "door.left", alias = ["left"])]
    Left,
}

fn main() {}
