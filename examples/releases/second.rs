//! The release that is rolled out while `first.rs` runs: `cargo run --example release_2 -- FILE`.
//!
//! Type `write NAME CENTS` or `sums NAME`.

mod program;

use eventlogs::{Aggregate, Event, event_handler};
use program::Release;
use serde::{Deserialize, Serialize};
use std::error::Error;

/// The events of a payment.
#[derive(Debug, Clone, Event)]
#[event(explicit_names)]
pub enum PaymentEvent {
    /// Still read, no longer written.
    #[event(name = "payment.announced", retired)]
    Announced,
    /// Version 1 had no currency.
    #[event(name = "payment.captured", version = 2, upcast(1 = captured_from_v1))]
    Captured {
        /// The amount.
        amount: Amount,
    },
    /// Written under another name.
    #[event(name = "payment.returned", alias = "payment.refunded")]
    Returned {
        /// The amount.
        cents: u64,
    },
    /// A new event.
    #[event(name = "payment.disputed")]
    Disputed {
        /// The amount.
        cents: u64,
    },
}

/// An amount of money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Amount {
    cents: u64,
    currency: String,
}

impl Amount {
    /// Makes an amount in the only currency of the past.
    fn in_euros(cents: u64) -> Self {
        let currency = "EUR".to_owned();
        Self { cents, currency }
    }
}

/// `payment.captured` as version 1 stored it.
#[derive(Deserialize)]
struct CapturedV1 {
    cents: u64,
}

/// Upgrades an old event when it is read.
fn captured_from_v1(CapturedV1 { cents }: CapturedV1) -> PaymentEvent {
    PaymentEvent::Captured {
        amount: Amount::in_euros(cents),
    }
}

/// What the events of a payment add up to.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(event = PaymentEvent)]
pub struct Payment {
    announced: u64,
    captured: u64,
    returned: u64,
    disputed: u64,
}

#[event_handler(PaymentEvent)]
impl Payment {
    /// A retired event still counts. An aggregate that needs none of them writes `ignore(retired)`.
    #[on(Announced)]
    fn announce(&mut self) {
        self.announced += 1;
    }

    #[on(Captured)]
    fn capture(&mut self, amount: &Amount) {
        if amount.currency == "EUR" {
            self.captured += amount.cents;
        }
    }

    #[on(Returned)]
    fn give_back(&mut self, cents: u64) {
        self.returned += cents;
    }

    #[on(Disputed)]
    fn dispute(&mut self, cents: u64) {
        self.disputed += cents;
    }
}

impl Release for Payment {
    fn events(cents: u64) -> Vec<PaymentEvent> {
        vec![
            PaymentEvent::Captured {
                amount: Amount::in_euros(cents),
            },
            PaymentEvent::Returned { cents },
            PaymentEvent::Disputed { cents },
        ]
    }

    fn sums(&self) -> String {
        let Self {
            announced,
            captured,
            returned,
            disputed,
        } = self;
        format!(
            "announced {announced}, captured {captured}, refunded {returned}, disputed {disputed}"
        )
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    program::run::<Payment>().await
}
