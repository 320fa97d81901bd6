use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {

}

fn main() {}
