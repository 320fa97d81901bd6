//! Events that were cut differently: `cargo run --example splitting_and_merging`.
//!
//! A stored event stays one event, because the index of an event never changes. So an event that is split, and events that are
//! merged, stay in the enum as they are: retired, which means read and no longer written. Their handlers do what the handlers of
//! the events do that replace them. New code writes the new events.
//!
//! Read it from top to bottom: the events of the past, the events of today, and `main`, which reduces a log with both.

use eventlogs::caches::fake::FakeAggregationCache;
use eventlogs::ids::LogId;
use eventlogs::stores::InvalidAppend;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, LogManager, LogManagerError, LogManagerOptions,
    SqliteEventStore, event_handler,
};
use std::error::Error;

/// The first release.
mod first_release {
    use super::{Aggregate, Event, event_handler};

    /// The events of an order.
    #[derive(Debug, Clone, Event)]
    #[event(explicit_names)]
    pub(super) enum OrderEvent {
        /// An order was always paid at once.
        #[event(name = "order.placed_and_paid")]
        PlacedAndPaid { pieces: u64, cents: u64 },
        /// What was sent, and what it cost, were two events.
        #[event(name = "order.packed")]
        Packed { pieces: u64 },
        #[event(name = "order.postage_paid")]
        PostagePaid { cents: u64 },
    }

    /// The first release writes, and needs no state for that.
    #[derive(Debug, Default, Clone, Aggregate)]
    #[aggregate(event = OrderEvent)]
    pub(super) struct Order {
        pub(super) events: u64,
    }

    #[event_handler(OrderEvent)]
    impl Order {
        #[on(PlacedAndPaid | Packed | PostagePaid)]
        fn count(&mut self) {
            self.events += 1;
        }
    }
}

/// Today's events. Three are retired.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(explicit_names)]
pub enum OrderEvent {
    /// Was split into `Placed` and `Paid`.
    #[event(name = "order.placed_and_paid", retired)]
    PlacedAndPaid {
        /// The number of pieces.
        pieces: u64,
        /// The price.
        cents: u64,
    },
    /// One part of it.
    #[event(name = "order.placed")]
    Placed {
        /// The number of pieces.
        pieces: u64,
    },
    /// The other part, which may happen later now.
    #[event(name = "order.paid")]
    Paid {
        /// The amount.
        cents: u64,
    },
    /// Was merged into `Sent`, together with `PostagePaid`.
    #[event(name = "order.packed", retired)]
    Packed {
        /// The number of pieces.
        pieces: u64,
    },
    /// Was merged into `Sent`, together with `Packed`.
    #[event(name = "order.postage_paid", retired)]
    PostagePaid {
        /// The postage.
        cents: u64,
    },
    /// Both in one.
    #[event(name = "order.sent")]
    Sent {
        /// The number of pieces.
        pieces: u64,
        /// The postage.
        postage: u64,
    },
}

/// The state of an order.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = OrderEvent)]
pub struct Order {
    ordered: u64,
    paid: u64,
    sent: u64,
    postage: u64,
}

#[event_handler(OrderEvent)]
impl Order {
    #[on(Placed)]
    fn place(&mut self, pieces: u64) {
        self.ordered += pieces;
    }

    #[on(Paid)]
    fn pay(&mut self, cents: u64) {
        self.paid += cents;
    }

    /// What was split does what both parts do.
    #[on(PlacedAndPaid)]
    fn place_and_pay(&mut self, pieces: u64, cents: u64) {
        self.place(pieces);
        self.pay(cents);
    }

    #[on(Packed)]
    fn pack(&mut self, pieces: u64) {
        self.sent += pieces;
    }

    #[on(PostagePaid)]
    fn pay_postage(&mut self, cents: u64) {
        self.postage += cents;
    }

    /// What was merged does what both did.
    #[on(Sent)]
    fn send(&mut self, pieces: u64, postage: u64) {
        self.pack(pieces);
        self.pay_postage(postage);
    }
}

/// Needs only today's payments: the retired events concern it no longer, except the one that has a handler.
#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = OrderEvent)]
pub struct Income {
    cents: u64,
}

#[event_handler(OrderEvent, ignore(Placed | Sent | retired))]
impl Income {
    #[on(Paid | PlacedAndPaid)]
    fn pay(&mut self, cents: u64) {
        self.cents += cents;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = SqliteEventStore::in_memory().await?;
    let log_id = LogId::new();
    write_with_the_first_release(&store, &log_id).await?;
    let orders = manager::<Order>(&store);

    // The two events of a split are written together or not at all.
    let state = orders.reduce(&log_id).await?;
    let split = [
        OrderEvent::Placed { pieces: 10 },
        OrderEvent::Paid { cents: 1_000 },
    ];
    let options = AppendOptions::default();
    let state = orders.append_all(state, &split, &options).await?;
    let sent = OrderEvent::Sent {
        pieces: 10,
        postage: 40,
    };
    let state = orders.append(state, &sent, &options).await?;

    // No new code writes what is retired.
    let retired = OrderEvent::Packed { pieces: 1 };
    match orders.append(state, &retired, &options).await {
        Err(LogManagerError::Invalid(error @ InvalidAppend::Retired { .. })) => {
            println!("refused: {error}");
        }
        other => return Err(format!("expected a refusal, got {other:?}").into()),
    }

    let order = orders.reduce(&log_id).await?.into_aggregate();
    println!("old and new events together: {order:?}");
    let expected = Order {
        ordered: 12,
        paid: 1_200,
        sent: 12,
        postage: 45,
    };
    let income = manager::<Income>(&store).reduce(&log_id).await?;
    println!("and the income: {} cents", income.aggregate().cents);
    if order != expected || income.aggregate().cents != 1_200 {
        return Err(format!("expected {expected:?}").into());
    }
    store.close().await;
    Ok(())
}

/// Writes a log as the first release did.
async fn write_with_the_first_release(
    store: &SqliteEventStore,
    log_id: &LogId,
) -> Result<(), LogManagerError> {
    use first_release::OrderEvent;
    let orders = manager::<first_release::Order>(store);
    let placed = OrderEvent::PlacedAndPaid {
        pieces: 2,
        cents: 200,
    };
    let state = orders
        .create(log_id, &placed, &CreateOptions::default())
        .await?;
    let sent = [
        OrderEvent::Packed { pieces: 2 },
        OrderEvent::PostagePaid { cents: 5 },
    ];
    orders
        .append_all(state, &sent, &AppendOptions::default())
        .await?;
    let order = orders.reduce(log_id).await?;
    println!(
        "the first release wrote {} events",
        order.aggregate().events
    );
    Ok(())
}

/// Makes a manager with a cache of its own.
fn manager<A: Aggregate<Event: Event>>(store: &SqliteEventStore) -> LogManager<A> {
    let cache = FakeAggregationCache::new();
    LogManager::new(store.clone(), cache, LogManagerOptions::default())
}
