use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent<L> {
    #[event(flatten)]
    Lock(L),
}

fn main() {}
