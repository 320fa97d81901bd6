//! The check: the sums of the ledger must be those of the reduced logs.

use crate::ledger::TOTALS;
use crate::shop::Shop;
use crate::tables::Tables;
use eventlogs::{Aggregate, ListOptions, LogManager, LogManagerError};
use std::collections::BTreeMap;
use std::error::Error;

/// Reduces all logs, and compares their sums with the ledger.
pub(crate) async fn compare(shop: &Shop, tables: &Tables) -> Result<(), Box<dyn Error>> {
    println!("\n8. Compare the ledger with the logs");
    let mut reduced = BTreeMap::new();
    let orders = all(&shop.orders).await?;
    for order in &orders {
        *reduced
            .entry(format!("orders in {}", order.currency))
            .or_default() += order.cents;
    }
    let payments = all(&shop.payments).await?;
    for payment in &payments {
        *reduced
            .entry(format!("payments in {}", payment.currency))
            .or_default() += payment.cents;
    }
    let found: BTreeMap<String, i64> = tables.rows(TOTALS, &[]).await?.into_iter().collect();
    if found != reduced {
        return Err(format!("the ledger has {found:?}, and the logs have {reduced:?}").into());
    }
    println!(
        "   reduced {} orders and {} payments: the ledger has the same sums",
        orders.len(),
        payments.len()
    );
    Ok(())
}

/// Reduces all logs of a manager.
pub(crate) async fn all<A: Aggregate + Clone>(
    logs: &LogManager<A>,
) -> Result<Vec<A>, LogManagerError> {
    let mut options = ListOptions::default();
    let mut all = Vec::new();
    loop {
        let page = logs.list(&options).await?;
        for log in &page.logs {
            all.push(logs.reduce(log.log_id).await?.into_aggregate());
        }
        options.after = page.next;
        if options.after.is_none() {
            return Ok(all);
        }
    }
}
