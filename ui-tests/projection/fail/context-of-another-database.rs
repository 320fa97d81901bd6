use eventlogs::{Event, Projection, event_handler};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Projection)]
#[projection(name = "ledger", events(PaymentEvent), database = postgres)]
pub struct Ledger {
    currency: String,
}

pub struct Connection;

#[event_handler(PaymentEvent)]
impl Ledger {
    #[on(Captured)]
    async fn capture(&self, amount: u64, #[context] db: &mut Connection) {
        let _ = (amount, db);
    }
}

fn main() {}
