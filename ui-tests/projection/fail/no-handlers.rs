use eventlogs::{Event, Projection};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "ledger", events(PaymentEvent), database = elsewhere)]
pub struct Ledger {
    currency: String,
}

fn main() {}
