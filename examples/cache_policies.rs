//! Which aggregates are worth caching: `cargo run --example cache_policies`.
//!
//! Each part reduces logs twice and prints how many events the second reduction had to apply: all of them if nothing
//! was cached, none if the cache had the state. Read it from top to bottom: rules in the attribute, a policy in the options
//! as a closure, and the policies that come with the crate.

use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, Aggregation, AggregationCachingPolicy, AppendOptions, CreateOptions, LogAgePolicy,
    LogLengthPolicy, LogManager, LogManagerError, LogManagerOptions, MemoryAggregationCache,
    event_handler,
};
use std::sync::Arc;
use std::time::Duration;

/// The events of a till. The store of this example keeps plain values, so the enum need not derive `Event`.
#[derive(Debug, Clone)]
pub enum TillEvent {
    /// Money came in.
    Sold {
        /// In cents.
        cents: u64,
    },
    /// The day is over.
    Closed,
}

/// The attribute's rules cache a till only while it is open and has at least three events, and again only after two more
/// events. An entry lives for one hour.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = TillEvent, cache(min_events = 3, every = 2, ttl = "1h", when = is_open))]
pub struct Till {
    cents: u64,
    closed: bool,
}

/// The attribute's condition is a function of the aggregate and its log.
fn is_open(till: &Aggregation<Till>) -> bool {
    !till.aggregate().closed
}

#[event_handler(TillEvent)]
impl Till {
    #[on(Sold)]
    fn sell(&mut self, cents: u64) {
        self.cents += cents;
    }

    #[on(Closed)]
    fn close(&mut self) {
        self.closed = true;
    }
}

#[tokio::main]
async fn main() -> Result<(), LogManagerError> {
    println!(
        "1. The attribute's rules: at least 3 events, again after 2 more, and only while the till is open"
    );
    let tills = tills(None);
    show(&tills, "two sales", &sales(2)).await?;
    show(&tills, "three sales", &sales(3)).await?;
    let closed = [sales(3), vec![TillEvent::Closed]].concat();
    show(&tills, "three sales, then closed", &closed).await?;
    every_two_events(&tills).await?;

    println!("\n2. A closure in the options replaces the rules: at least 500 cents");
    let rich = |till: &Aggregation<Till>| till.aggregate().cents >= 500;
    let tills = tills_with(rich);
    show(&tills, "four sales", &sales(4)).await?;
    show(&tills, "five sales", &sales(5)).await?;

    println!("\n3. A policy by the length of the log: 2 to 4 events");
    let tills = tills_with(LogLengthPolicy::within(2..=4));
    show(&tills, "one sale", &sales(1)).await?;
    show(&tills, "two sales", &sales(2)).await?;
    show(&tills, "five sales", &sales(5)).await?;

    println!("\n4. A policy by the age of the log");
    let settled = LogAgePolicy::at_least(Duration::from_hours(24));
    show(
        &tills_with(settled),
        "five sales, at least a day old",
        &sales(5),
    )
    .await?;
    let fresh = LogAgePolicy::at_most(Duration::from_hours(24));
    show(
        &tills_with(fresh),
        "five sales, at most a day old",
        &sales(5),
    )
    .await?;
    Ok(())
}

/// Makes a manager of tills in memory. A policy, if one is given, replaces the attribute's rules.
fn tills(caching_policy: Option<Arc<dyn AggregationCachingPolicy<Till>>>) -> LogManager<Till> {
    let options = LogManagerOptions {
        caching_policy,
        ..Default::default()
    };
    let cache = MemoryAggregationCache::default();
    LogManager::new(FakeEventStore::new(), cache, options)
}

/// Makes a manager with this policy.
fn tills_with(policy: impl AggregationCachingPolicy<Till>) -> LogManager<Till> {
    tills(Some(Arc::new(policy)))
}

/// Returns this many sales of one euro each.
fn sales(number: usize) -> Vec<TillEvent> {
    vec![TillEvent::Sold { cents: 100 }; number]
}

/// Creates a log of these events, reduces it twice, and prints what the second reduction did.
async fn show(
    tills: &LogManager<Till>,
    what: &str,
    events: &[TillEvent],
) -> Result<(), LogManagerError> {
    let log_id = create(tills, events).await?;
    reduce(tills, &log_id).await?;
    let again = reduce(tills, &log_id).await?;
    println!("   {what}: {again}");
    Ok(())
}

/// Shows `every`, which counts the events since the aggregate was last cached.
async fn every_two_events(tills: &LogManager<Till>) -> Result<(), LogManagerError> {
    let log_id = create(tills, &sales(3)).await?;
    let mut state = tills.reduce(&log_id).await?.state();
    println!("   three sales, then one more at a time:");
    for sale in 4..=7 {
        tills.flush_cache().await;
        let event = TillEvent::Sold { cents: 100 };
        state = tills
            .append(state, &event, &AppendOptions::default())
            .await?;
        println!("      sale {sale}: {}", reduce(tills, &log_id).await?);
    }
    Ok(())
}

/// Creates a log of these events.
async fn create(tills: &LogManager<Till>, events: &[TillEvent]) -> Result<LogId, LogManagerError> {
    let log_id = LogId::new();
    if let Some((first, rest)) = events.split_first() {
        let mut state = tills
            .create(&log_id, first, &CreateOptions::default())
            .await?;
        for event in rest {
            state = tills
                .append(state, event, &AppendOptions::default())
                .await?;
        }
    }
    Ok(log_id)
}

/// Reduces a log and describes how many events it had to apply.
async fn reduce(tills: &LogManager<Till>, log_id: &LogId) -> Result<String, LogManagerError> {
    let till = tills.reduce(log_id).await?;
    // A background task writes to the cache. A service need not wait for it; this example does, to show the result.
    tills.flush_cache().await;
    let events = till.through_index() + 1;
    let applied = till.applied_events();
    let why = match applied {
        0 => "the cached state had all of them",
        _ if applied == events => "nothing was cached",
        _ => "the cached state had the others",
    };
    Ok(format!("applied {applied} of {events} events, {why}"))
}
