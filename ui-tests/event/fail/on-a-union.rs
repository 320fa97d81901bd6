use eventlogs::Event;

#[derive(Event)]
pub union Opened {
    pub hours: u32,
    pub minutes: u32,
}

fn main() {}
