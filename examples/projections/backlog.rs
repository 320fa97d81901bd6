//! A projection that is shut down in the middle of a backlog, and goes on where it was.

use crate::PATIENCE;
use crate::shop::{PaymentEvent, Shop};
use eventlogs::projection::{CheckpointStore, ProjectionStore};
use eventlogs::stores::StoreError;
use eventlogs::subscriptions::{RunningSubscriptions, SubscriptionOptions, Subscriptions};
use eventlogs::{AppendOptions, LogManagerError, LogState, Projection};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::error::Error;

/// The payments of the backlog, with two events each.
const PAYMENTS: usize = 1_000;
/// How many of them are written at the same time.
const AT_ONCE: usize = 50;

/// Writes while the ledger does not run, starts it, shuts it down half-way, and starts it again.
pub(crate) async fn interrupt<S, L>(
    store: &S,
    shop: &Shop,
    ledger: fn() -> L,
) -> Result<RunningSubscriptions<S>, Box<dyn Error>>
where
    S: ProjectionStore<L::Database>,
    L: Projection,
{
    println!("\n6. Shut down in the middle of a backlog, and start again");
    let payments = write(shop).await?;
    println!(
        "   wrote {} events while the ledger did not run",
        2 * PAYMENTS
    );
    let (Some(early), Some(last)) = (payments.get(PAYMENTS / 4), payments.last()) else {
        return Err("there is no backlog".into());
    };

    // With small pages, the shutdown has less to wait for.
    let options = SubscriptionOptions {
        page_size: 20,
        ..SubscriptionOptions::default()
    };
    let running = Subscriptions::new(store)
        .projection_with(ledger(), options)
        .start()
        .await?;
    let before = handled(&running).await?;
    running.wait_for(L::NAME, *early, PATIENCE).await?;
    running.shutdown().await;
    let by_then = handled(&running).await?;
    println!("   shut down after {} of them", by_then - before);

    // Nothing says where to start: the checkpoint is in the database.
    let running = Subscriptions::new(store)
        .projection(ledger())
        .start()
        .await?;
    running.wait_for(L::NAME, *last, PATIENCE).await?;
    let rest = handled(&running).await? - by_then;
    println!("   started again, and handled the other {rest}");
    Ok(running)
}

/// Records payments of many customers, and returns the last state of each.
async fn write(shop: &Shop) -> Result<Vec<LogState<PaymentEvent>>, LogManagerError> {
    let pay = |number: usize| async move {
        let customer = format!("Customer {}", number % 100);
        let payment = shop.request(&customer, "EUR").await?;
        let cents = i64::try_from(number).unwrap_or_default() * 7 % 1_000 + 1;
        let captured = PaymentEvent::Captured { cents };
        let options = AppendOptions::default();
        shop.payments.append(payment, &captured, &options).await
    };
    let mut states: Vec<_> = stream::iter(1..PAYMENTS)
        .map(pay)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    // Alone, so that it is the last one in the feed, too.
    states.push(pay(PAYMENTS).await?);
    Ok(states)
}

/// Returns how many events the subscriptions have handled since they exist.
async fn handled<S: CheckpointStore>(running: &RunningSubscriptions<S>) -> Result<u64, StoreError> {
    let status = running.status().await?;
    let partitions = status.iter().flat_map(|status| &status.partitions);
    Ok(partitions.map(|partition| partition.settled).sum())
}
