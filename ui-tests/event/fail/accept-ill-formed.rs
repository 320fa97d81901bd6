use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    #[event(accept = 2)]
    Opened,
    #[event(accept())]
    Closed,
    #[event(accept(two = closed))]
    Locked,
    #[event(accept(2 = "closed"))]
    Painted,
    #[event(accept(40000 = closed))]
    Oiled,
}

fn main() {}
