use eventlogs::Event;

#[derive(Event)]
#[event(codec = "jsn", name = "door")]
pub enum DoorEvent {
    #[event(nam = "a", version = "2")]
    Opened { #[event(codec = "json")] hours: u32 },
    #[event(name = "b!", upcast(1 = f))]
    Closed,
    #[event(name = "b!", alias = 5)]
    Locked,
}

fn main() {}
