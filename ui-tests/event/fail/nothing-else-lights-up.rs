use eventlogs::{Aggregate, Event, EventHandler, LogManager, event_handler};

// Each item has one mistake, and the code that uses the item causes no errors.

#[derive(Event)]
pub enum DoorEvent {
    #[event(nam = "door.opened")]
    Opened { hours: u32 },
    Closed,
}

#[derive(Event)]
pub struct WindowEvent<'a, T, const N: usize> {
    by: &'a [T; N],
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(ttl = "soon"))]
pub struct Door {
    hours: u32,
}

#[event_handler(DoorEvent, ignor(Closed))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.hours += hours;
    }
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(evnt = DoorEvent)]
pub struct Window<T> {
    panes: Vec<T>,
}

#[event_handler]
impl<T> Window<T> {
    #[on(Opened)]
    fn open(&mut self) {
        self.panes.clear();
    }
}

fn needs_event<E: Event>() {}

fn needs_aggregate<A: Aggregate + EventHandler<DoorEvent>>() {}

fn main() {
    needs_event::<DoorEvent>();
    needs_event::<WindowEvent<'static, String, 3>>();
    needs_aggregate::<Door>();
    needs_aggregate::<Window<u8>>();
    let _: Option<LogManager<Door>> = None;
}
