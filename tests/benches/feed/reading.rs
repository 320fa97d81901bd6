//! Reading the whole feed, and the memory of a subscription that catches up.

use crate::by_hand;
use crate::common::payments::PaymentEvent;
use crate::common::postgres::Postgres;
use crate::common::process::resident_kib;
use crate::common::report::{Report, Row};
use crate::events::{Counter, fill};
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{Cursor, EventFeed, EventRecord};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const READ: &str = "feed, 1,000,000 events, typed";
const MEMORY: &str = "memory while 1,000,000 events are caught up, above idle";
/// In MiB.
const GOAL_MIB: u32 = 64;

/// Measures the rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants_any(&[READ, MEMORY]) {
        return;
    }
    let events = if report.arguments.quick {
        100_000
    } else {
        1_000_000
    };
    fill(postgres, events).await;
    if report.arguments.wants(READ) {
        let rounds = if report.arguments.quick { 3 } else { 5 };
        let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Each side begins every other round.
            for side in 0..2 {
                let begun = Instant::now();
                if (round + side) % 2 == 0 {
                    assert_eq!(read_all(postgres).await, events as u64);
                    ours.push(rate(events, begun.elapsed()));
                } else {
                    let (read, _) = by_hand::read_all(&postgres.pool).await;
                    assert_eq!(read, events as u64);
                    by_hand.push(rate(events, begun.elapsed()));
                }
            }
        }
        report.row(&ratio(READ, median(ours), median(by_hand), 0.8));
    }
    if report.arguments.wants(MEMORY) {
        memory(postgres, events, report).await;
    }
}

/// Reads and decodes all events.
async fn read_all(postgres: &Postgres) -> u64 {
    let mut feed = postgres.store.feed(Cursor::START).events::<PaymentEvent>();
    let (mut read, mut sum) = (0, 0);
    while let Some(page) = feed.next_page().await.expect("the server answers") {
        for record in &page.records {
            if let PaymentEvent::Captured(capture) = record.event() {
                read += 1;
                sum += capture.amount;
            }
        }
    }
    assert!(sum > 0);
    read
}

async fn memory(postgres: &Postgres, events: usize, report: &mut Report) {
    let projection = Counter::<0>::default();
    let counted = Arc::clone(&projection.counted);
    let before = resident_kib();
    let running = Subscriptions::new(&postgres.store)
        .projection(projection)
        .start()
        .await
        .expect("it is registered");
    let mut most = before;
    while counted.events.load(Ordering::Relaxed) < events as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        most = most.max(resident_kib());
    }
    running.shutdown().await;
    let growth = before
        .zip(most)
        .map(|(before, most)| most.saturating_sub(before) / 1024);
    report.row(&Row {
        name: MEMORY,
        ours: growth.map_or("?".to_owned(), |mib| format!("{mib} MiB")),
        goal: format!("<= {GOAL_MIB} MiB"),
        met: growth.map(|mib| mib <= GOAL_MIB),
        ..Row::default()
    });
}

fn rate(events: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(events).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// Returns the median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Compares two rates.
pub(crate) fn ratio(name: &'static str, ours: f64, by_hand: f64, goal: f64) -> Row {
    Row {
        name,
        ours: format!("{ours:.0}"),
        by_hand: format!("{by_hand:.0}"),
        ratio: format!("{:.2}", ours / by_hand),
        goal: format!(">= {goal:.2}"),
        met: Some(ours / by_hand >= goal),
        ..Row::default()
    }
}
