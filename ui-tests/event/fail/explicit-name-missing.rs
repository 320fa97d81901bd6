use eventlogs::Event;

#[derive(Event)]
#[event(explicit_names)]
pub enum DoorEvent {
    #[event(name = "door.opened")]
    Opened,
    #[event(alias = "door.shut")]
    Closed,
}

fn main() {}
