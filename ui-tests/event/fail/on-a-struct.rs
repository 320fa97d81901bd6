use eventlogs::Event;

#[derive(Event)]
pub struct Opened {
    pub hours: u32,
}

fn main() {}
