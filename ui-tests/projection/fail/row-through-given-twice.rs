use eventlogs::ids::LogId;
use eventlogs::{Event, Projection, event_handler};
use serde::{Deserialize, Serialize};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "payments", events(PaymentEvent), database = postgres, table = "payments")]
pub struct PaymentRow {
    #[key]
    id: LogId,
    captured: u64,
    #[through]
    through: Option<u64>,
    #[through]
    last: Option<u64>,
}

#[event_handler(PaymentEvent)]
impl PaymentRow {
    #[on(Captured)]
    fn capture(&mut self, amount: u64) {
        self.captured += amount;
    }
}

fn main() {}
