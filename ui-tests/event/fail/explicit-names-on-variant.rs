use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(explicit_names)]
    Opened,
}

fn main() {}
