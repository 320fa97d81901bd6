use eventlogs::Event;

#[derive(Event)]
pub enum Événement {
    Opened,
}

fn main() {}
