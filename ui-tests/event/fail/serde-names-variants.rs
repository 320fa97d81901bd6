use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[serde(rename = "door.opened")]
    Opened,
    #[serde(rename(serialize = "door.closed", deserialize = "closed"))]
    Closed,
    #[serde(rename = "a door was locked")]
    Locked,
    #[serde(alias = "door.shut")]
    Shut,
    #[serde(untagged)]
    Moved,
    #[cfg_attr(all(), serde(rename = "door.painted"))]
    Painted,
}

fn main() {}
