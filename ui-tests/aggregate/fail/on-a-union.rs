use eventlogs::Aggregate;

pub enum DoorEvent {
    Opened,
}

impl Default for Door {
    fn default() -> Self {
        Self { open: 0 }
    }
}

#[derive(Clone, Copy, Aggregate)]
#[aggregate(event = DoorEvent)]
pub union Door {
    open: u8,
    closed: i8,
}

fn main() {}
