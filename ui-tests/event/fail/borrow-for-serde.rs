use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        #[serde(borrow)]
        by: std::borrow::Cow<'static, str>,
    },
}

fn main() {}
