use eventlogs::{Event, Projection, event_handler};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "a_ledger_with_a_name_that_is_so_long_that_no_schema_could_be_called_so", events(PaymentEvent), database = elsewhere)]
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
