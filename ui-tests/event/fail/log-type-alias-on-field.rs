use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        #[event(log_type_alias = "gate")]
        hours: u32,
    },
}

fn main() {}
