use eventlogs::Aggregate;

pub enum DoorEvent {
    Opened,
}

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(DoorEvent)]
pub struct Door;

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(event = &DoorEvent)]
pub struct Window;

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(event(DoorEvent))]
pub struct Gate;

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate("door", event = DoorEvent)]
pub struct Hatch;

fn main() {}
