use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        #[event(name = "door.hours")]
        hours: u32,
    },
}

fn main() {}
