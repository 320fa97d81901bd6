//! A read model that follows the logs: `cargo run --example projections`, on a SQLite file in a temporary folder; or, with
//! `EVENTLOGS_POSTGRES_URL` set, on that server.
//!
//! Orders and payments have logs of their own. The ledger is a projection over both: tables that answer what no single log can,
//! such as what a customer owes. Read `shop.rs` first: the events. Then `ledger.rs` and `ledger/sqlite.rs`: the projection.
//! Then read this file from the top. At the end it comes to `rows.rs` and `rows/models.rs`: read models of one table each, which
//! need no SQL to be written. It prints what it does at each step, and ends with an error if a read model is wrong.

mod backlog;
mod compare;
mod export;
mod ledger;
mod reading;
mod rows;
mod shop;
mod tables;

use eventlogs::projection::{Postgres, ProjectionStore, Sqlite};
use eventlogs::sqlx::postgres::{PgConnectOptions, PgPool};
use eventlogs::sqlx::{AssertSqlSafe, raw_sql};
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{
    AppendOptions, EventStore, LogState, PostgresEventStore, PostgresOptions, Projection,
    SqliteEventStore,
};
use rows::models::ReadModels;
use shop::{OrderEvent, PaymentEvent, Shop};
use std::env;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tables::Tables;
use tempfile::TempDir;

/// The schema of the events on a server.
const SCHEMA: &str = "projections_example";
/// How long this example waits for the ledger.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = TempDir::new()?;
    // The projection names its database; everything else is the same for both.
    if let Ok(url) = env::var("EVENTLOGS_POSTGRES_URL") {
        on_server(url.parse()?, folder.path()).await
    } else {
        let file = folder.path().join("shop.db");
        let store = SqliteEventStore::open(&file).await?;
        println!("Events and read models are kept in a SQLite file.");
        let tables = Tables::in_file(&file);
        let ledger = || ledger::sqlite::Ledger;
        let told = tell_the_story::<_, Sqlite, _>(&store, ledger, &tables, folder.path()).await;
        tables.close().await;
        store.close().await;
        told
    }
}

/// Runs the example in several schemas on a server: one for the events, and one per projection.
async fn on_server(server: PgConnectOptions, folder: &Path) -> Result<(), Box<dyn Error>> {
    let pool = PgPool::connect_with(server.clone()).await?;
    let ledger = ledger::postgres::Ledger::NAME;
    let [payments, customers] = rows::NAMES;
    let drop_schemas =
        format!("drop schema if exists {SCHEMA}, {ledger}, {payments}, {customers} cascade");
    // An earlier run may have been interrupted.
    raw_sql(AssertSqlSafe(drop_schemas.clone()))
        .execute(&pool)
        .await?;
    let options = PostgresOptions {
        schema: SCHEMA.to_owned(),
        ..PostgresOptions::default()
    };
    let store = PostgresEventStore::connect_with(server.clone(), options).await?;
    store.migrate().await?;
    println!(
        "The events are kept in PostgreSQL, in schema `{SCHEMA}`; each read model in a schema of its name."
    );
    let tables = Tables::on_server(server, &[ledger, payments, customers]);
    let ledger = || ledger::postgres::Ledger;
    let told = tell_the_story::<_, Postgres, _>(&store, ledger, &tables, folder).await;
    tables.close().await;
    store.close().await;
    raw_sql(AssertSqlSafe(drop_schemas)).execute(&pool).await?;
    told
}

/// Starts the projection, writes, reads, stops in the middle of a backlog, and compares.
async fn tell_the_story<S, D, L>(
    store: &S,
    ledger: fn() -> L,
    tables: &Tables,
    folder: &Path,
) -> Result<(), Box<dyn Error>>
where
    S: EventStore<OrderEvent> + EventStore<PaymentEvent> + ProjectionStore<D>,
    D: ReadModels,
    L: Projection<Database = D>,
{
    println!("\n1. Start the projection");
    let running = Subscriptions::new(store)
        .projection(ledger())
        .start()
        .await?;
    println!("   `{}` follows the events, and its tables exist", L::NAME);

    let shop = Shop::new(store);
    let written = write(&shop).await?;
    // Without this, the search might not see the last write.
    running.wait_for(L::NAME, written, PATIENCE).await?;
    println!("   the ledger has the last of them");

    reading::search(tables).await?;
    reading::status(&running).await?;
    reading::list(&shop).await?;
    running.shutdown().await;

    let running = backlog::interrupt(store, &shop, ledger).await?;
    export::twice(store, &shop, &folder.join("events.jsonl")).await?;
    // Whatever was written until now, by whomever.
    running.wait_until_caught_up(PATIENCE).await?;
    running.shutdown().await;
    compare::compare(&shop, tables).await?;

    rows::show(store, &shop, tables).await
}

/// Writes to several logs, and returns the state after the last write.
async fn write(shop: &Shop) -> Result<LogState<PaymentEvent>, Box<dyn Error>> {
    println!("\n2. Write to several logs, and wait until the ledger has the last write");
    let options = AppendOptions::default();
    let order = shop.place("Ada", "EUR", 12_000).await?;
    shop.orders
        .append(order, &OrderEvent::Shipped, &options)
        .await?;
    let order = shop.place("Ada", "USD", 4_500).await?;
    shop.orders
        .append(order, &OrderEvent::Cancelled, &options)
        .await?;
    shop.place("Grace", "EUR", 8_000).await?;

    let payment = shop.request("Grace", "EUR").await?;
    let captured = PaymentEvent::Captured { cents: 8_000 };
    shop.payments.append(payment, &captured, &options).await?;

    let payment = shop.request("Ada", "EUR").await?;
    let parts = [
        PaymentEvent::Captured { cents: 9_000 },
        PaymentEvent::Captured { cents: 3_000 },
        PaymentEvent::Refunded { cents: 500 },
    ];
    let written = shop.payments.append_all(payment, &parts, &options).await?;
    println!("   3 orders and 2 payments, each with a log of its own");
    Ok(written)
}
