//! Read models of rows: payments, which are listed and searched, and customers; and a payment that the first version of the code
//! cannot handle.

pub(crate) mod models;

use crate::PATIENCE;
use crate::compare::all;
use crate::shop::{PaymentEvent, Shop};
use crate::tables::Tables;
use eventlogs::projection::ProjectionStore;
use eventlogs::subscriptions::{RunningSubscriptions, Subscriptions, WaitError};
use eventlogs::{AppendOptions, LogState, ProjectedRow, Rows};
use models::ReadModels;
use std::error::Error;
use std::time::Duration;

/// The names of the projections, which are also those of their tables, and on a server those of their schemas.
pub(crate) const NAMES: [&str; 2] = [PAYMENTS, CUSTOMERS];
const PAYMENTS: &str = "example_payments";
const CUSTOMERS: &str = "example_customers";

/// A list of payments.
const LARGEST: &str = "select customer || ' in ' || currency, cents from example_payments
    order by cents desc, id limit 3";
/// A search.
const OF_CUSTOMERS: &str = "select customer || ' in ' || currency, cents from example_payments
    where customer like $1 order by cents desc, id limit 3";
/// The best customers.
const BEST: &str =
    "select customer, cents from example_customers order by cents desc, customer limit 3";
/// The sums of both tables.
const SUMS: &str = "select 'payments', cast(sum(cents) as bigint) from example_payments
    union all select 'customers', cast(sum(cents) as bigint) from example_customers";
/// One payment.
const ONE: &str = "select customer, cents from example_payments where id = $1";

/// Starts the rows, reads them, and lets one log be parked, and go on with corrected code.
pub(crate) async fn show<S, D>(
    store: &S,
    shop: &Shop,
    tables: &Tables,
) -> Result<(), Box<dyn Error>>
where
    S: ProjectionStore<D>,
    D: ReadModels,
{
    println!("\n9. Start two read models of rows, which begin with the first event");
    let running = start::<S, D, D::FirstPayments>(store).await?;
    running.wait_until_caught_up(PATIENCE).await?;
    println!("   the largest payments");
    print(&tables.rows(LARGEST, &[]).await?);
    println!("   the largest of the customers 50 to 59");
    print(&tables.rows(OF_CUSTOMERS, &["Customer 5_"]).await?);
    println!("   the best customers, each with several payments");
    print(&tables.rows(BEST, &[]).await?);
    check_sums(shop, tables).await?;

    println!(
        "\n10. Correct a mistake: an event that cannot be applied holds back its own log only"
    );
    let (payment, neighbour) = refund_too_much(shop).await?;
    running.wait_for(PAYMENTS, neighbour, PATIENCE).await?;
    println!("   the payment after it");
    print(&tables.rows(ONE, &[&neighbour.log_id().to_string()]).await?);
    let waited = running.wait_for(PAYMENTS, payment, PATIENCE).await;
    let Err(WaitError::Parked { .. }) = waited else {
        return Err(format!("the refund was applied: {waited:?}").into());
    };
    for log in running.parked(PAYMENTS).await? {
        println!(
            "   parked at event {} (`{}`), after {} attempts: {}",
            log.event_index, log.event_type, log.attempts, log.error
        );
    }
    running.shutdown().await;

    // In a service this is the next release.
    let running = start::<S, D, D::Payments>(store).await?;
    let status = running.status().await?;
    if status
        .iter()
        .any(|status| status.name == PAYMENTS && status.is_stale)
    {
        println!("   started corrected code; the status says that other code has written the rows");
    }
    running.retry(PAYMENTS, payment.log_id()).await?;
    goes_on(&running, payment).await?;
    println!("   retried: the payment");
    print(&tables.rows(ONE, &[&payment.log_id().to_string()]).await?);
    running.wait_until_caught_up(PATIENCE).await?;
    running.shutdown().await;
    check_sums(shop, tables).await
}

/// Starts a version of the payments, and the customers.
async fn start<S, D, P>(store: &S) -> Result<RunningSubscriptions<S>, Box<dyn Error>>
where
    S: ProjectionStore<D>,
    D: ReadModels,
    P: ProjectedRow<Database = D>,
{
    let subscriptions = Subscriptions::new(store)
        .projection(Rows::<P>::new())
        .projection(Rows::<D::Customers>::new());
    Ok(subscriptions.start().await?)
}

/// Refunds more than was captured. Returns the states of that payment and of one after it.
async fn refund_too_much(
    shop: &Shop,
) -> Result<(LogState<PaymentEvent>, LogState<PaymentEvent>), Box<dyn Error>> {
    let options = AppendOptions::default();
    let payment = shop.request("Ada", "EUR").await?;
    let events = [
        PaymentEvent::Captured { cents: 1_000 },
        PaymentEvent::Refunded { cents: 1_500 },
        PaymentEvent::Captured { cents: 200 },
    ];
    let payment = shop.payments.append_all(payment, &events, &options).await?;
    let neighbour = shop.request("Grace", "EUR").await?;
    let captured = PaymentEvent::Captured { cents: 700 };
    let neighbour = shop.payments.append(neighbour, &captured, &options).await?;
    Ok((payment, neighbour))
}

/// Waits until a log that is parked goes on.
async fn goes_on<S>(
    running: &RunningSubscriptions<S>,
    state: LogState<PaymentEvent>,
) -> Result<(), Box<dyn Error>>
where
    S: eventlogs::projection::CheckpointStore,
{
    let retried = async {
        loop {
            match running.wait_for(PAYMENTS, state, PATIENCE).await {
                Err(WaitError::Parked { .. }) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                waited => return waited,
            }
        }
    };
    Ok(tokio::time::timeout(PATIENCE, retried).await??)
}

/// Prints amounts.
fn print(amounts: &[(String, i64)]) {
    for (what, cents) in amounts {
        let sign = if *cents < 0 { "-" } else { "" };
        let (euros, cents) = (cents.abs() / 100, cents.abs() % 100);
        println!(
            "      {what:<20} {:>9}",
            format!("{sign}{euros}.{cents:02}")
        );
    }
}

/// Reduces all payments, and compares their sum with those of the rows.
async fn check_sums(shop: &Shop, tables: &Tables) -> Result<(), Box<dyn Error>> {
    let payments = all(&shop.payments).await?;
    let sum: i64 = payments.iter().map(|payment| payment.cents).sum();
    for (table, found) in tables.rows(SUMS, &[]).await? {
        if found != sum {
            return Err(format!("the {table} have {found} cents, and the logs {sum}").into());
        }
    }
    println!(
        "   payments, customers and {} logs have the same sum",
        payments.len()
    );
    Ok(())
}
