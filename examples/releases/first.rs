//! The release that runs while the next one is rolled out: `cargo run --example release_1 -- FILE`. It reads what `second.rs`
//! writes, and goes on writing what the release before it can read.
//!
//! Type `write NAME CENTS` or `sums NAME`. The guide's page about releases describes the steps; `examples/tests/releases.rs` runs
//! both programs on one store, and rolls back.

mod program;

use eventlogs::{Aggregate, Event, event_handler};
use program::Release;
use serde::{Deserialize, Serialize};
use std::error::Error;

/// The events of a payment.
#[derive(Debug, Clone, Event)]
#[event(explicit_names)]
pub enum PaymentEvent {
    /// The next release retires this event.
    #[event(name = "payment.announced")]
    Announced,
    /// The next release writes version 2, which this one accepts.
    #[event(name = "payment.captured", version = 1, accept(2 = captured_from_v2))]
    Captured {
        /// The amount.
        cents: u64,
    },
    /// The next release writes it as `payment.returned`. An alias is read, whether it is the former name or the next one.
    #[event(name = "payment.refunded", alias = "payment.returned")]
    Refunded {
        /// The amount.
        cents: u64,
    },
    /// An event of the next release. This one has the variant and the handler, and does not write it.
    #[event(name = "payment.disputed", retired)]
    Disputed {
        /// The amount.
        cents: u64,
    },
}

/// `payment.captured` as version 2 will store it.
#[derive(Deserialize)]
struct CapturedV2 {
    amount: AmountV2,
}

/// The part of an amount that this release uses.
#[derive(Deserialize)]
struct AmountV2 {
    cents: u64,
}

/// Makes an event of this release from a newer one when it is read. The stored event stays as it is.
fn captured_from_v2(CapturedV2 { amount }: CapturedV2) -> PaymentEvent {
    PaymentEvent::Captured {
        cents: amount.cents,
    }
}

/// What the events of a payment add up to.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(event = PaymentEvent)]
pub struct Payment {
    announced: u64,
    captured: u64,
    refunded: u64,
    disputed: u64,
}

#[event_handler(PaymentEvent)]
impl Payment {
    #[on(Announced)]
    fn announce(&mut self) {
        self.announced += 1;
    }

    #[on(Captured)]
    fn capture(&mut self, cents: u64) {
        self.captured += cents;
    }

    #[on(Refunded)]
    fn refund(&mut self, cents: u64) {
        self.refunded += cents;
    }

    #[on(Disputed)]
    fn dispute(&mut self, cents: u64) {
        self.disputed += cents;
    }
}

impl Release for Payment {
    fn events(cents: u64) -> Vec<PaymentEvent> {
        vec![
            PaymentEvent::Announced,
            PaymentEvent::Captured { cents },
            PaymentEvent::Refunded { cents },
        ]
    }

    fn sums(&self) -> String {
        let Self {
            announced,
            captured,
            refunded,
            disputed,
        } = self;
        format!(
            "announced {announced}, captured {captured}, refunded {refunded}, disputed {disputed}"
        )
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    program::run::<Payment>().await
}
