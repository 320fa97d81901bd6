//! What the shop records: orders and payments, each with its own enum of events and its own logs.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CreateOptions, Event, EventStore, LogManager, LogManagerError, LogManagerOptions,
    LogState, MemoryAggregationCache, event_handler,
};

/// The events of an order.
#[derive(Debug, Clone, Event)]
pub(crate) enum OrderEvent {
    /// A customer ordered something.
    #[event(name = "order.placed")]
    Placed {
        /// The customer.
        customer: String,
        /// The currency of the price.
        currency: String,
        /// The price, in hundredths of the currency.
        cents: i64,
    },
    /// The parcel left the house.
    #[event(name = "order.shipped")]
    Shipped,
    /// Nothing is to be paid any more.
    #[event(name = "order.cancelled")]
    Cancelled,
}

/// The events of a payment.
#[derive(Debug, Clone, Event)]
pub(crate) enum PaymentEvent {
    /// A customer was asked to pay.
    #[event(name = "payment.requested")]
    Requested {
        /// The customer.
        customer: String,
        /// The currency of all amounts of this payment.
        currency: String,
    },
    /// We received money.
    #[event(name = "payment.captured")]
    Captured {
        /// The amount, in hundredths of the currency.
        cents: i64,
    },
    /// Money went back to the customer.
    #[event(name = "payment.refunded")]
    Refunded {
        /// The amount, in hundredths of the currency.
        cents: i64,
    },
}

/// The state of one order.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = OrderEvent)]
pub(crate) struct Order {
    /// The currency.
    pub(crate) currency: String,
    /// What the customer has to pay for it.
    pub(crate) cents: i64,
}

#[event_handler(OrderEvent, ignore(Shipped))]
impl Order {
    #[on(Placed { currency, cents, .. })]
    fn place(&mut self, currency: &str, cents: i64) {
        currency.clone_into(&mut self.currency);
        self.cents = cents;
    }

    #[on(Cancelled)]
    fn cancel(&mut self) {
        self.cents = 0;
    }
}

/// The state of one payment.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = PaymentEvent)]
pub(crate) struct Payment {
    /// The currency.
    pub(crate) currency: String,
    /// What we have received and not given back.
    pub(crate) cents: i64,
}

#[event_handler(PaymentEvent)]
impl Payment {
    #[on(Requested { currency, .. })]
    fn request(&mut self, currency: &str) {
        currency.clone_into(&mut self.currency);
    }

    #[on(Captured)]
    fn capture(&mut self, cents: i64) {
        self.cents += cents;
    }

    #[on(Refunded)]
    fn refund(&mut self, cents: i64) {
        self.cents -= cents;
    }
}

/// The managers of both kinds of logs, on one store.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    /// The orders.
    pub(crate) orders: LogManager<Order>,
    /// The payments.
    pub(crate) payments: LogManager<Payment>,
}

impl Shop {
    /// Makes the managers.
    pub(crate) fn new<S>(store: &S) -> Self
    where
        S: EventStore<OrderEvent> + EventStore<PaymentEvent> + Clone,
    {
        Self {
            orders: manager(store),
            payments: manager(store),
        }
    }

    /// Records a new order.
    pub(crate) async fn place(
        &self,
        customer: &str,
        currency: &str,
        cents: i64,
    ) -> Result<LogState<OrderEvent>, LogManagerError> {
        let placed = OrderEvent::Placed {
            customer: customer.to_owned(),
            currency: currency.to_owned(),
            cents,
        };
        let options = CreateOptions::default();
        self.orders.create(LogId::new(), &placed, &options).await
    }

    /// Records a new payment.
    pub(crate) async fn request(
        &self,
        customer: &str,
        currency: &str,
    ) -> Result<LogState<PaymentEvent>, LogManagerError> {
        let requested = PaymentEvent::Requested {
            customer: customer.to_owned(),
            currency: currency.to_owned(),
        };
        let options = CreateOptions::default();
        self.payments
            .create(LogId::new(), &requested, &options)
            .await
    }
}

/// Makes a manager with a cache in this process.
fn manager<A: Aggregate + Clone>(store: &(impl EventStore<A::Event> + Clone)) -> LogManager<A> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store.clone(), cache, LogManagerOptions::default())
}
