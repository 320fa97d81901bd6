//! The events that are written: payments, with about 130 bytes of JSON per event.

use eventlogs::{Aggregate, Event, event_handler};
use serde::{Deserialize, Serialize};

/// The events of a payment.
#[derive(Debug, Clone, Event)]
pub(crate) enum PaymentEvent {
    /// Some of the money arrived.
    #[event(name = "payment.captured")]
    Captured(Capture),
    /// The rest of the payment was cancelled.
    #[event(name = "payment.voided")]
    Voided,
}

/// The stored name of the event that all of these measurements write.
pub(crate) const CAPTURED: &str = "payment.captured";

/// A captured amount.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Capture {
    /// In cents.
    pub(crate) amount: u64,
    currency: String,
    reference: String,
    terminal: String,
    note: String,
}

impl Capture {
    /// Creates a capture with the usual note.
    pub(crate) fn of(amount: u64) -> Self {
        Self::with_note(amount, "captured in full".to_owned())
    }

    /// Creates a capture with a note of any length.
    pub(crate) fn with_note(amount: u64, note: String) -> Self {
        Self {
            amount,
            currency: "EUR".to_owned(),
            reference: "order-2026-00012345678".to_owned(),
            terminal: "web-checkout-eu-west-1".to_owned(),
            note,
        }
    }

    /// Encodes the stored form, by hand.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it has only strings and numbers")
    }

    /// Decodes the stored form, by hand.
    pub(crate) fn from_json(json: &[u8]) -> Self {
        serde_json::from_slice(json).expect("one of the two sides wrote it")
    }
}

/// The sum of a payment's events.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(event = PaymentEvent)]
pub(crate) struct Payment {
    /// In cents.
    pub(crate) captured: u64,
    /// The number of captures.
    pub(crate) captures: u64,
}

#[event_handler(PaymentEvent, ignore(Voided))]
impl Payment {
    /// Adds a capture; the side by hand calls it, too.
    #[on(Captured(capture))]
    pub(crate) fn capture(&mut self, capture: &Capture) {
        self.captured += capture.amount;
        self.captures += 1;
    }

    /// The decision of these measurements, also by hand: it needs the state, and never refuses.
    pub(crate) fn next_capture(&self) -> Capture {
        Capture::of(self.captured % 1_000 + 1)
    }
}
