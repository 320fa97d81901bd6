use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent<'a> {
    Opened { by: &'a str },
}

fn main() {}
