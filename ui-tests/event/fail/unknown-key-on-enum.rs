use eventlogs::Event;

#[derive(Event)]
#[event(codex = "json")]
pub enum DoorEvent {
    Opened,
}

fn main() {}
