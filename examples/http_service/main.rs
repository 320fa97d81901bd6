//! A service over HTTP, with axum: accounts that are opened, read, changed and that money moves between. Requests carry an
//! `Idempotency-Key` and an `If-Match` header; errors become statuses by their kind.
//!
//! `cargo run --example http_service` sends some requests to itself, without a network, and prints the answers.
//! `cargo run --example http_service -- serve` listens at 127.0.0.1:8080 until ctrl-c. Both keep their events where
//! `DATABASE_URL` says: `sqlite:accounts.db` or `postgres://…`; without it, in memory.

mod api;
mod domain;
mod headers;
mod problem;
mod tour;

use domain::Account;
use eventlogs::{LogManager, LogManagerOptions, MemoryAggregationCache};
use std::env;
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite::memory:".to_owned());
    let store = eventlogs::connect(&url).await?;
    let cache = MemoryAggregationCache::default();
    let accounts = LogManager::<Account>::new(store, cache, LogManagerOptions::default());
    accounts.migrate().await?;

    let routes = api::routes(accounts.clone());
    if env::args().nth(1).as_deref() == Some("serve") {
        let listener = TcpListener::bind("127.0.0.1:8080").await?;
        println!("Listening at http://{}", listener.local_addr()?);
        let stopped = async {
            // Without the signal, the service runs until it is killed, which loses nothing either.
            let _ = tokio::signal::ctrl_c().await;
        };
        axum::serve(listener, routes)
            .with_graceful_shutdown(stopped)
            .await?;
    } else {
        tour::send_requests(routes).await?;
    }
    accounts.close().await;
    Ok(())
}
