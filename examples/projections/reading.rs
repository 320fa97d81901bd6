//! What a service reads: the ledger, the status, a list of logs.

use crate::ledger::{OF_CUSTOMER, TOTALS};
use crate::shop::{Order, Shop};
use crate::tables::Tables;
use eventlogs::projection::CheckpointStore;
use eventlogs::subscriptions::{RunningSubscriptions, SubscriptionState};
use eventlogs::{ListOptions, ListOrder};
use std::error::Error;

/// Reads the ledger with SQL.
pub(crate) async fn search(tables: &Tables) -> Result<(), Box<dyn Error>> {
    println!("\n3. Search the ledger");
    for customer in ["Ada", "Grace"] {
        println!("   {customer}");
        print_sums(&tables.rows(OF_CUSTOMER, &[customer]).await?);
    }
    println!("   all customers");
    print_sums(&tables.rows(TOTALS, &[]).await?);
    Ok(())
}

/// Prints sums of the ledger.
fn print_sums(sums: &[(String, i64)]) {
    for (what, cents) in sums {
        println!("      {what:<16} {:>9}.{:02}", cents / 100, cents % 100);
    }
}

/// Prints what the subscriptions of the store do, in whatever process.
pub(crate) async fn status<S: CheckpointStore>(
    running: &RunningSubscriptions<S>,
) -> Result<(), Box<dyn Error>> {
    println!("\n4. Look at the status");
    for subscription in running.status().await? {
        let handled: u64 = subscription
            .partitions
            .iter()
            .map(|partition| partition.settled)
            .sum();
        let state = match &subscription.state {
            SubscriptionState::Running => "is running",
            SubscriptionState::Waiting => "waits for a process",
            SubscriptionState::Paused => "is paused",
            SubscriptionState::Stopped { reason } => reason,
            _ => "is in a state that this example does not know",
        };
        print!(
            "   `{}` {state}, has handled {handled} events, and ",
            subscription.name
        );
        match subscription.lag {
            None => println!("has all"),
            Some(lag) => println!("is {lag:?} behind"),
        }
    }
    Ok(())
}

/// Lists the logs that changed last. A list needs no projection.
pub(crate) async fn list(shop: &Shop) -> Result<(), Box<dyn Error>> {
    println!("\n5. List the orders, those that changed last first");
    let mut options = ListOptions {
        order: ListOrder::NewestChange,
        limit: 2,
        ..ListOptions::default()
    };
    let mut page = 1;
    loop {
        let list = shop.orders.list(&options).await?;
        for log in &list.logs {
            let order = shop.orders.reduce(log.log_id).await?;
            let Order { currency, cents } = order.aggregate();
            println!(
                "   page {page}: order {}, last event {}, {cents} cents in {currency}",
                log.log_id,
                log.state().index()
            );
        }
        options.after = list.next;
        page += 1;
        if options.after.is_none() {
            return Ok(());
        }
    }
}
