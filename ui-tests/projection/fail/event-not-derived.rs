use eventlogs::{Event, Projection, event_handler};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "ledger", events(DoorEvent), database = elsewhere)]
pub struct Ledger {
    currency: String,
}

pub enum DoorEvent {
    Opened,
}

#[event_handler(DoorEvent)]
impl Ledger {
    #[on(Opened)]
    async fn open(&self) {}
}

fn main() {}
