use eventlogs::Aggregate;

pub enum DoorEvent {
    Opened,
}

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(event = DoorEvent, cache(min_events = 10k, ttl = 30s))]
pub struct Door;

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(event = DoorEvent, cache(min_events > 10, expires = "1h"))]
pub struct Window;

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(event = DoorEvent, cache = never)]
pub struct Gate;

#[derive(Debug, Clone, Default, Aggregate)]
#[aggregate(event = DoorEvent, cache(off))]
pub struct Hatch;

fn main() {}
