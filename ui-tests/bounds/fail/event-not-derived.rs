use eventlogs::codec::{DecodeProblem, StoredPayload};

pub enum DoorEvent {
    Opened,
}

fn read<E: eventlogs::Event>(stored: &StoredPayload<'_>) -> Result<E, DecodeProblem> {
    E::decode(stored)
}

pub fn read_door(stored: &StoredPayload<'_>) -> bool {
    read::<DoorEvent>(stored).is_ok()
}

fn main() {}
