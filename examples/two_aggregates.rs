//! Two views of one log: `cargo run --example two_aggregates`.
//!
//! The events of an order are written once. The warehouse reduces them to what is to be packed, the bookkeeper to what is
//! to be paid. Each ignores by name the events it does not need. So a new event is a compiler error in both, until each
//! handles or ignores it.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, DecideOptions, Event, LogManager, LogManagerOptions,
    MemoryAggregationCache, SqliteEventStore, event_handler,
};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;

/// The events of an order.
#[derive(Debug, Clone, PartialEq, Event)]
pub enum OrderEvent {
    /// A customer ordered an article.
    #[event(name = "order.placed")]
    Placed {
        /// The article's name.
        article: String,
        /// The number of pieces.
        pieces: u32,
        /// The price of all pieces, in cents.
        cents: u64,
    },
    /// The bank reported that money has arrived.
    #[event(name = "order.paid")]
    Paid {
        /// In cents.
        cents: u64,
    },
    /// Pieces of an article were packed.
    #[event(name = "order.packed")]
    Packed {
        /// The article's name.
        article: String,
        /// The number of pieces.
        pieces: u32,
    },
}

/// The work that the warehouse has to do.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = OrderEvent)]
pub struct PackingList {
    to_pack: BTreeMap<String, u32>,
}

/// The warehouse ignores payments.
#[event_handler(OrderEvent, ignore(Paid))]
impl PackingList {
    #[on(Placed)]
    fn place(&mut self, article: &str, pieces: u32) {
        *self.to_pack.entry(article.to_owned()).or_default() += pieces;
    }

    #[on(Packed)]
    fn pack(&mut self, article: &str, pieces: u32) {
        if let Some(left) = self.to_pack.get_mut(article) {
            *left = left.saturating_sub(pieces);
        }
        self.to_pack.retain(|_, left| *left > 0);
    }
}

/// The amounts that are due and paid.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = OrderEvent)]
pub struct Account {
    due: u64,
    paid: u64,
}

/// The bookkeeper ignores packing.
#[event_handler(OrderEvent, ignore(Packed))]
impl Account {
    #[on(Placed)]
    fn place(&mut self, cents: u64) {
        self.due += cents;
    }

    #[on(Paid)]
    fn pay(&mut self, cents: u64) {
        self.paid += cents;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // One store, which is a cheap handle; each aggregate has a manager and a cache of its own.
    let store = SqliteEventStore::in_memory().await?;
    let packing = manager::<PackingList>(&store);
    let accounts = manager::<Account>(&store);

    println!("1. The shop records an order of two articles; both views reduce the same log");
    let log_id = LogId::derived("order", "2026-00017");
    let [tea, cup] = [("tea", 2, 1_100), ("cup", 1, 900)].map(|(article, pieces, cents)| {
        let article = article.to_owned();
        OrderEvent::Placed {
            article,
            pieces,
            cents,
        }
    });
    let state = packing
        .create(&log_id, &tea, &CreateOptions::default())
        .await?;
    packing
        .append(state, &cup, &AppendOptions::default())
        .await?;
    show(&packing, &accounts, &log_id).await?;

    println!("\n2. The bookkeeper records the payment, and knows nothing of packing");
    let options = DecideOptions::default();
    let pay = |account: &Account| Ok::<_, Infallible>([OrderEvent::Paid { cents: account.due }]);
    let paid = accounts.decide(&log_id, &options, pay).await?;
    println!(
        "   the payment is event {} of the log",
        paid.aggregation().through_index()
    );
    show(&packing, &accounts, &log_id).await?;

    println!("\n3. The warehouse packs everything that is left");
    let pack = |list: &PackingList| {
        let packed = list
            .to_pack
            .iter()
            .map(|(article, pieces)| OrderEvent::Packed {
                article: article.clone(),
                pieces: *pieces,
            });
        Ok::<_, Infallible>(packed.collect::<Vec<_>>())
    };
    let packed = packing.decide(&log_id, &options, pack).await?;
    println!(
        "   the log now ends with event {}",
        packed.aggregation().through_index()
    );
    show(&packing, &accounts, &log_id).await?;
    store.close().await;
    Ok(())
}

/// Makes the manager of one view.
fn manager<A: Aggregate<Event = OrderEvent>>(store: &SqliteEventStore) -> LogManager<A> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store.clone(), cache, LogManagerOptions::default())
}

/// Prints both views of a log.
async fn show(
    packing: &LogManager<PackingList>,
    accounts: &LogManager<Account>,
    log_id: &LogId,
) -> Result<(), Box<dyn Error>> {
    let (list, account) = tokio::try_join!(packing.reduce(log_id), accounts.reduce(log_id))?;
    println!("   to pack: {:?}", list.aggregate().to_pack);
    let Account { due, paid } = account.aggregate();
    println!("   paid: {paid} of {due} cents");
    Ok(())
}
