#[derive(eventlogs::Event)]
pub enum Event {
    Opened,
}

fn main() {}
