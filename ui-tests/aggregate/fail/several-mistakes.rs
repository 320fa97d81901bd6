use eventlogs::{event_handler, Aggregate};

pub enum DoorEvent {
    Opened,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(evnt = DoorEvent, cache(min_events = "x", ttl = "soon", every = 0, evry = 1))]
#[aggregate(cache(never))]
pub struct Door {
    open: bool,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

fn main() {}
