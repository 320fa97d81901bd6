use eventlogs::{Event, Projection, event_handler};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "ledger", events(PaymentEvent), database = elsewhere, shelf = "ledger")]
pub struct Ledger {
    currency: String,
}

#[event_handler(PaymentEvent)]
impl Ledger {
    #[on(Captured)]
    async fn capture(&self, amount: u64) {
        let _ = (amount, &self.currency);
    }
}

fn main() {}
