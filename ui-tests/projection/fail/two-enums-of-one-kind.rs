use eventlogs::{Event, Projection, event_handler};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "ledger", events(PaymentEvent, RefundEvent), database = elsewhere)]
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

#[derive(Event)]
#[event(log_type = "refund", log_type_alias = "payment")]
pub enum RefundEvent {
    #[event(name = "refund.captured")]
    Captured,
}

#[event_handler(RefundEvent)]
impl Ledger {
    #[on(Captured)]
    async fn refund(&self) {}
}

fn main() {}
