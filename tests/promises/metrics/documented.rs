//! The metrics that the guide lists are those that are recorded, with these types and labels.

use super::recorder::Measured;
use super::{
    a_store_measures, a_subscription_measures, fed, loses_leases_in_file, parked, retried, stopped,
    unreadable,
};
use crate::guide::{table, word, words};
use crate::postgres::TestStore;
use crate::servers;
use crate::sqlite_file::TemporaryStore;
use std::collections::BTreeSet;

type Metric = (String, String, BTreeSet<String>);

fn documented() -> BTreeSet<Metric> {
    let rows = table(&["Metric", "Type", "Labels", "Meaning"]);
    let metric = |row: &Vec<String>| (word(&row[0]), row[1].clone(), words(&row[2]));
    rows.iter().map(metric).collect()
}

fn recorded(measured: &[Measured]) -> BTreeSet<Metric> {
    let all = measured.iter().flat_map(Measured::all);
    all.map(|one| {
        let labels = one.labels.into_keys().collect();
        (one.name, one.kind.to_owned(), labels)
    })
    .collect()
}

#[tokio::test]
async fn the_guide_lists_every_metric_that_is_recorded_and_no_other() {
    let mut measured = Vec::new();
    measured.push(super::operations::on_every_store().await);
    for kind in ["sqlite", "postgres"] {
        let of_store = Measured::default();
        let guard = metrics::set_default_local_recorder(&of_store);
        match kind {
            "sqlite" => a_store_measures(TemporaryStore::open().await, &of_store).await,
            _ => {
                if let Some(store) = TestStore::new().await {
                    a_store_measures(store.store.clone(), &of_store).await;
                }
            }
        }
        drop(guard);
        measured.push(of_store);
    }
    let of_subscription = Measured::default();
    let guard = metrics::set_default_local_recorder(&of_subscription);
    let file = TemporaryStore::open().await;
    a_subscription_measures(
        file.store.clone(),
        &of_subscription,
        loses_leases_in_file(&file),
    )
    .await;
    drop(guard);
    measured.push(of_subscription);
    measured.push(parked().await);
    measured.push(stopped().await);
    measured.push(super::reductions::dropped().await);
    measured.push(super::gauges::waiting().await);
    measured.extend(retried().await);
    measured.extend(fed().await);
    measured.extend(unreadable().await);

    let (documented, recorded) = (documented(), recorded(&measured));
    if servers::postgres_url().is_some() && servers::redis_url().is_some() {
        assert_eq!(recorded, documented);
    } else {
        let unknown: Vec<_> = recorded.difference(&documented).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// The values of the labels are documented, too.
#[tokio::test]
async fn the_guide_lists_the_results_and_the_pools() {
    let measured = super::operations::on_every_store().await;
    let results = table(&["`result`", "Meaning"]);
    let results: BTreeSet<_> = results.iter().map(|row| word(&row[0])).collect();
    let pools = table(&["`store`", "`pool`", "For"]);
    let pools: BTreeSet<_> = pools
        .iter()
        .map(|row| (word(&row[0]), word(&row[1])))
        .collect();
    let spans = table(&["Span", "Level", "Fields"]);
    let spans: BTreeSet<_> = spans.iter().map(|row| word(&row[0])).collect();
    for recorded in measured.all() {
        let label = |name: &str| recorded.labels.get(name).cloned();
        if recorded.name == "eventlogs_operation_seconds" {
            assert!(results.contains(&label("result").unwrap()), "{recorded:?}");
            assert!(spans.contains(&label("operation").unwrap()), "{recorded:?}");
        }
        if let (Some(store), Some(pool)) = (label("store"), label("pool")) {
            assert!(pools.contains(&(store, pool)), "{recorded:?}");
        }
    }
}
