use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Öffnung,
}

fn main() {}
