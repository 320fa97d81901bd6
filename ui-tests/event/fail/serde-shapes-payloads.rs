use eventlogs::Event;

#[derive(Event)]
#[event(log_type = "door")]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields, default, from = "Old", transparent)]
pub enum DoorEvent {
    #[serde(skip)]
    #[event(name = "door.opened")]
    Opened,
    #[serde(with = "text")]
    #[event(name = "door.closed")]
    Closed(u64),
    #[serde(flatten)]
    Window(WindowEvent),
    #[serde(other)]
    #[event(name = "door.unknown")]
    Unknown,
}

#[derive(Event)]
pub enum WindowEvent {
    #[event(name = "window.opened")]
    Opened,
}

fn main() {}
