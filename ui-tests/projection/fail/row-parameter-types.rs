#![allow(unused_variables)]

use eventlogs::ids::LogId;
use eventlogs::{Event, Projection, event_handler};
use serde::{Deserialize, Serialize};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { cents: u64 },
    #[event(name = "payment.refunded")]
    Refunded { cents: u64 },
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "a", events(PaymentEvent), database = postgres, table = "a")]
pub struct PaymentRow {
    #[key]
    id: LogId,
}

#[event_handler(PaymentEvent)]
impl PaymentRow {
    #[on(Captured)]
    fn capture(&mut self, cents: u32) {}

    #[on(Refunded)]
    fn refund(&mut self, cents: &u32) {}
}

fn main() {}
