//! The same payments, stored in MessagePack.

use crate::common::payments::Capture;
use eventlogs::{Aggregate, Event, event_handler};

/// The events of a payment.
#[derive(Debug, Clone, Event)]
#[event(codec = "msgpack", log_type = "packed_payment")]
pub(crate) enum PackedEvent {
    /// Some of the money arrived.
    #[event(name = "packed_payment.captured")]
    Captured(Capture),
}

/// The sum of a payment's events.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = PackedEvent)]
pub(crate) struct PackedPayment {
    captured: u64,
    captures: u64,
}

#[event_handler(PackedEvent)]
impl PackedPayment {
    #[on(Captured(capture))]
    fn capture(&mut self, capture: &Capture) {
        self.captured += capture.amount;
        self.captures += 1;
    }
}

/// Decodes the stored form, by hand.
pub(crate) fn from_msgpack(bytes: &[u8]) -> Capture {
    rmp_serde::from_slice(bytes).expect("the library wrote it")
}
