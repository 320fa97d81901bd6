use eventlogs::Event;

#[derive(Event)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum DoorEvent {
    #[event(name = "door.opened")]
    Opened,
    Closed,
}

#[derive(Event)]
#[serde(untagged, rename = "gate")]
#[cfg_attr(all(), serde(rename_all = "kebab-case"))]
pub enum WindowEvent {
    Opened,
}

fn main() {}
