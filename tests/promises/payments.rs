//! The domain of the tests: payments, annotated as a user would do it.

use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, AggregationCache, AppendOptions, CreateOptions, Event, EventStore, LogManager,
    LogManagerOptions, MemoryAggregationCache, SqliteEventStore, event_handler,
};

/// The events of a payment.
#[derive(Debug, Clone, PartialEq, Event)]
pub(crate) enum PaymentEvent {
    /// A customer announces a payment.
    #[event(name = "payment.requested")]
    Requested {
        /// In cents.
        amount: u64,
    },
    /// Money arrived.
    #[event(name = "payment.captured")]
    Captured {
        /// In cents.
        amount: u64,
    },
    /// Money went back.
    #[event(name = "payment.refunded")]
    Refunded(Refund),
    /// The exchange rate was noted, a number that JSON cannot always express.
    #[event(name = "payment.rated")]
    Rated(f64),
    /// The payment is cancelled.
    #[event(name = "payment.voided")]
    Voided,
}

/// The content of a refund.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Refund {
    /// In cents.
    pub(crate) amount: u64,
    /// A note for the support team; never stored.
    #[serde(skip)]
    pub(crate) note: String,
}

/// The state of a payment. Every event adds to it, so an event that is applied twice shows.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = PaymentEvent)]
pub(crate) struct Payment {
    pub(crate) requested: u64,
    pub(crate) captured: u64,
    pub(crate) refunded: u64,
    pub(crate) voided: u64,
    pub(crate) notes: String,
}

#[event_handler(PaymentEvent, ignore(Rated))]
impl Payment {
    #[on(Requested)]
    fn request(&mut self, amount: u64) {
        self.requested += amount;
    }

    #[on(Captured)]
    fn capture(&mut self, amount: u64) {
        self.captured += amount;
    }

    #[on(Refunded(refund))]
    fn refund(&mut self, refund: &Refund) {
        self.refunded += refund.amount;
        self.notes.push_str(&refund.note);
    }

    #[on(Voided)]
    fn void(&mut self) {
        self.voided += 1;
    }

    pub(crate) fn outstanding(&self) -> u64 {
        self.captured - self.refunded
    }
}

/// Creates a manager with an in-process cache.
pub(crate) fn payments(store: impl EventStore<PaymentEvent>) -> LogManager<Payment> {
    cached_payments(store, MemoryAggregationCache::default())
}

pub(crate) fn cached_payments(
    store: impl EventStore<PaymentEvent>,
    cache: impl AggregationCache<Payment>,
) -> LogManager<Payment> {
    LogManager::new(store, cache, LogManagerOptions::default())
}

/// Creates managers on each available kind of store, to run one test on all of them.
pub(crate) async fn on_every_store() -> Vec<(&'static str, LogManager<Payment>)> {
    let sqlite = SqliteEventStore::in_memory().await.expect("SQLite starts");
    let mut managers = vec![
        ("fake", payments(FakeEventStore::new())),
        ("sqlite", payments(sqlite)),
    ];
    if let Some(postgres) = TestStore::new().await {
        managers.push(("postgres", payments(postgres.store)));
    }
    managers
}

/// Creates a payment with 100 captured.
pub(crate) async fn captured(payments: &LogManager<Payment>) -> LogId {
    let log_id = LogId::new();
    let state = payments
        .create(
            &log_id,
            &PaymentEvent::Requested { amount: 100 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
    payments
        .append(
            state,
            &PaymentEvent::Captured { amount: 100 },
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    log_id
}

pub(crate) fn refund(amount: u64) -> PaymentEvent {
    PaymentEvent::Refunded(Refund {
        amount,
        note: String::new(),
    })
}
