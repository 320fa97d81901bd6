//! Test support: decisions and projections tested without a store, laws for your own aggregates, events and rows, and
//! conformance suites with the promises that every store and every cache must keep.
//!
//! It needs the feature `testing`, which belongs in `[dev-dependencies]`; the conformance suites need `conformance`:
//!
//! ```toml
//! [dev-dependencies]
//! eventlogs = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A test of a domain states past events, a decision, and the expected events:
//!
//! ```
//! # #[cfg(feature = "macros")] {
//! use eventlogs::testing::given;
//! use eventlogs::{Aggregate, event_handler};
//!
//! #[derive(Debug, Clone, PartialEq)]
//! pub enum PaymentEvent {
//!     Captured { amount: u64 },
//!     Refunded { amount: u64 },
//! }
//!
//! #[derive(Debug, Default, Clone, PartialEq, Aggregate)]
//! #[aggregate(event = PaymentEvent)]
//! pub struct Payment { outstanding: u64 }
//!
//! #[event_handler(PaymentEvent)]
//! impl Payment {
//!     #[on(Captured)]
//!     fn capture(&mut self, amount: u64) { self.outstanding += amount; }
//!     #[on(Refunded)]
//!     fn refund(&mut self, amount: u64) { self.outstanding -= amount; }
//! }
//!
//! /// The decision that production code passes to `LogManager::decide`.
//! fn refund(amount: u64) -> impl FnMut(&Payment) -> Result<[PaymentEvent; 1], &'static str> {
//!     move |payment| match payment.outstanding {
//!         outstanding if outstanding < amount => Err("too much"),
//!         _ => Ok([PaymentEvent::Refunded { amount }]),
//!     }
//! }
//!
//! given([PaymentEvent::Captured { amount: 100 }])
//!     .when(refund(70))
//!     .then([PaymentEvent::Refunded { amount: 70 }])
//!     .reduces_to(Payment { outstanding: 30 })
//!     .when(refund(31))
//!     .then_error("too much");
//! # }
//! ```
//!
//! A test that fails shows the differences line by line:
//!
//! ```text
//! the decision returned other events than expected
//! (- expected, + found)
//!
//! --> event 0 differs
//!         Refunded {
//!   -         amount: 71,
//!   +         amount: 70,
//!         }
//! ```
//!
//! [`projected()`] states events of several logs, and returns the rows that a projection makes of them; [`projected_by`] runs
//! handlers on a connection of the test.
//!
//! [`laws`] defines the rules that every aggregate, every event and every codec must obey, with macros that make tests of them
//! in one line; [`check_events_lock!`] fails when the stored shape of an event has changed by accident.

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(all(test, feature = "_database"))]
mod error_texts;
pub mod events_lock;
pub mod laws;
mod projected;
mod scenario;

#[doc(inline)]
pub use crate::{
    __aggregate_laws as aggregate_laws, __check_events_lock as check_events_lock,
    __codec_laws as codec_laws, __event_laws as event_laws, __projection_laws as projection_laws,
    __snapshot_laws as snapshot_laws,
};
#[cfg(feature = "conformance")]
#[doc(inline)]
pub use crate::{
    __aggregation_cache_conformance as aggregation_cache_conformance,
    __decoding_conformance as decoding_conformance,
    __event_feed_conformance as event_feed_conformance,
    __event_store_conformance as event_store_conformance,
    __subscriptions_conformance as subscriptions_conformance,
};
pub use projected::{ProjectionScenario, RowScenario, TestDatabase, projected, projected_by};
pub use scenario::{Outcome, Scenario, given, given_records};
