//! What both releases have in common: the store, the caches, and the commands on standard input.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CodeFingerprint, DecideOptions, Event, EventStore, LogManager, LogManagerOptions,
    MemoryAggregationCache, PostgresEventStore, RedisAggregationCache, SqliteEventStore,
    TieredAggregationCache, WholeSnapshot,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::io;

/// A release: its own code for the events of a payment, and for what they add up to.
pub(crate) trait Release:
    Aggregate<Event: Event + Clone> + CodeFingerprint + WholeSnapshot + Serialize + DeserializeOwned
{
    /// Returns one of each event that this release writes, with this amount in cents.
    fn events(cents: u64) -> Vec<Self::Event>;

    /// Returns what the events add up to, in one line.
    fn sums(&self) -> String;
}

/// Runs a release: on PostgreSQL if `EVENTLOGS_POSTGRES_URL` is set, else on the SQLite file that the first argument names.
pub(crate) async fn run<A: Release>() -> Result<(), Box<dyn Error>> {
    if let Ok(url) = env::var("EVENTLOGS_POSTGRES_URL") {
        let store = PostgresEventStore::connect(&url).await?;
        store.migrate().await?;
        obey(&manager::<A>(store.clone()).await?).await?;
        store.close().await;
    } else {
        let file = env::args_os().nth(1).unwrap_or("releases.db".into());
        let store = SqliteEventStore::open(file).await?;
        obey(&manager::<A>(store.clone()).await?).await?;
        store.close().await;
    }
    Ok(())
}

/// Makes a manager with a cache in the process. With `EVENTLOGS_REDIS_URL`, both releases also share a cache. The fingerprint of
/// the code keeps their entries apart.
async fn manager<A: Release>(
    store: impl EventStore<A::Event>,
) -> Result<LogManager<A>, Box<dyn Error>> {
    let near = MemoryAggregationCache::default();
    let options = LogManagerOptions::default();
    Ok(match env::var("EVENTLOGS_REDIS_URL") {
        Ok(url) => {
            let far = RedisAggregationCache::connect(&url).await?;
            LogManager::new(store, TieredAggregationCache::new(near, far), options)
        }
        Err(_) => LogManager::new(store, near, options),
    })
}

/// Carries out the commands on standard input, one per line, and prints one line for each.
async fn obey<A: Release>(payments: &LogManager<A>) -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lines() {
        let line = line?;
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["write", payment, cents] => {
                let events = A::events(cents.parse()?);
                let options = DecideOptions {
                    create_if_missing: true,
                    ..Default::default()
                };
                payments
                    .decide(log_id(payment), &options, |_| {
                        Ok::<_, Infallible>(events.clone())
                    })
                    .await?;
                println!("written");
            }
            ["sums", payment] => {
                let payment = payments.reduce(log_id(payment)).await?;
                println!("{}", payment.aggregate().sums());
            }
            _ => {
                return Err(
                    format!("`{line}` is neither `write NAME CENTS` nor `sums NAME`").into(),
                );
            }
        }
    }
    payments.flush_cache().await;
    Ok(())
}

/// Returns the log of a payment.
fn log_id(payment: &str) -> LogId {
    LogId::derived("payment", payment)
}
