//! Decisions over several logs: `cargo run --example transfers [FILE]`; or, with `EVENTLOGS_POSTGRES_URL` set, on that
//! server.
//!
//! 1. `accounts.rs`: two hundred tasks move money among fifty accounts. A transfer needs the states of two accounts, and
//!    writes to both or to none. Some tasks crash midway, and their clients ask again. No money is lost, made or moved twice.
//! 2. `booking.rs`: students book a course. A booking writes to the course and to the student, and only looks at the quota of
//!    the faculty. No booking rests on a quota that has changed.
//!
//! The program checks what it prints.

mod accounts;
mod booking;

use eventlogs::{
    EventStore, LogManager, LogManagerOptions, MemoryAggregationCache, PostgresEventStore,
    SqliteEventStore,
};
use std::env;
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(url) = env::var("EVENTLOGS_POSTGRES_URL") {
        let store = PostgresEventStore::connect(&url).await?;
        store.migrate().await?;
        println!("The events are kept in PostgreSQL.");
        run(&store).await?;
        store.close().await;
    } else if let Some(file) = env::args_os().nth(1) {
        let store = SqliteEventStore::open(&file).await?;
        println!("The events are kept in `{}`.", file.display());
        run(&store).await?;
        store.close().await;
    } else {
        println!("The events are kept in memory; name a file to keep them.");
        run(&SqliteEventStore::in_memory().await?).await?;
    }
    Ok(())
}

/// Runs both parts. The managers share one store: a decision can only take logs of one store together.
async fn run<S>(store: &S) -> Result<(), Box<dyn Error>>
where
    S: EventStore<accounts::AccountEvent>
        + EventStore<booking::CourseEvent>
        + EventStore<booking::StudentEvent>
        + EventStore<booking::QuotaEvent>
        + Clone,
{
    accounts::move_money(manager(store)).await?;
    booking::book(manager(store), manager(store), manager(store)).await
}

/// Makes a manager with a cache of its own on a clone of the store.
fn manager<A: eventlogs::Aggregate>(
    store: &(impl EventStore<A::Event> + Clone),
) -> LogManager<A> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store.clone(), cache, LogManagerOptions::default())
}
