use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        #[event(rename = "h")]
        hours: u32,
    },
}

fn main() {}
