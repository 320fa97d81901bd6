use eventlogs::{Event, Projection, event_handler};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "ledger", events(PaymentEvent), database = elsewhere)]
pub union Ledger {
    cents: u64,
    euros: f64,
}

#[event_handler(PaymentEvent)]
impl Ledger {
    #[on(Captured)]
    async fn capture(&self) {}
}

fn main() {}
