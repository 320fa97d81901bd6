use eventlogs::Event;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct NotSend(std::marker::PhantomData<*const u8>);

#[derive(Event)]
pub enum DoorEvent {
    Opened(NotSend),
}

fn main() {}
