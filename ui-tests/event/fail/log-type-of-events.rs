#[derive(eventlogs::Event)]
pub enum Events {
    Opened,
}

fn main() {}
