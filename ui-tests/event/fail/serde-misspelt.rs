use eventlogs::Event;

#[derive(Event)]
#[serde(rename_al = "snake_case")]
pub enum DoorEvent {
    #[serde(renam_all = "camelCase")]
    #[event(name = "door.opened")]
    Opened { by_whom: String },
    #[serde = "door.closed"]
    #[event(name = "door.closed")]
    Closed,
}

fn main() {}
