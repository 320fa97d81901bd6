use eventlogs::{Event, Projection, event_handler};
use serde::{Deserialize, Serialize};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "payments", events(PaymentEvent by customer_of), database = postgres, table = "payments")]
pub struct PaymentRow {
    #[key]
    customer: String,
    captured: u64,
}

#[event_handler(PaymentEvent)]
impl PaymentRow {
    #[on(Captured)]
    fn capture(&mut self, amount: u64) {
        self.captured += amount;
    }
}

fn customer_of(event: &PaymentEvent) -> Option<String> {
    let PaymentEvent::Captured { amount } = event;
    Some(amount.to_string())
}

fn main() {}
