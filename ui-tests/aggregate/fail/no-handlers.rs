use eventlogs::Aggregate;

pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Door {
    open: bool,
}

fn main() {}
