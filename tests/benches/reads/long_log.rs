//! One very long log, reduced from its first event.

use crate::by_hand;
use crate::common::closed_loop::Writer;
use crate::common::contest::{compare, side};
use crate::common::payments::{Capture, Payment};
use crate::common::postgres::Postgres;
use crate::common::process::resident_kib;
use crate::common::report::{Report, Row};
use crate::logs::{clear, payments, uncached};
use eventlogs::LogManager;
use eventlogs::ids::LogId;
use sqlx::postgres::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const MEMORY: &str = "memory while 1,000,000 events are reduced, above idle";
const RATE: &str = "cold, one log of 1,000,000 events, events/s";
/// In MiB.
const GOAL_MIB: u32 = 64;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants_any(&[MEMORY, RATE]) {
        return;
    }
    let events = if report.arguments.quick {
        100_000
    } else {
        1_000_000
    };
    clear(postgres).await;
    let log_id = payments(postgres, 1, events).await[0];
    let events = u32::try_from(events).expect("a small number");
    let manager = uncached::<Payment>(postgres);
    if report.arguments.wants(MEMORY) {
        // The connections and their statements are not what a reduction takes.
        let short = payments(postgres, 1, 10).await[0];
        manager.reduce(short).await.expect("the log exists");
        report.row(&memory(&manager, log_id).await);
    }
    if report.arguments.wants(RATE) {
        let ours = side(async || {
            vec![Ours {
                manager: manager.clone(),
                log_id,
                events,
            }]
        });
        let by_hand = side(async || {
            vec![ByHand {
                pool: postgres.pool.clone(),
                log_id,
                events,
            }]
        });
        // A round is one reduction, since that takes longer than the span.
        let [ours, by_hand] = compare(report.arguments.close_race(), [ours, by_hand]).await;
        report.row(&Row::rates(RATE, &ours, &by_hand, Some(0.95)));
    }
    clear(postgres).await;
}

/// Reduces the log, and compares the greatest memory with the memory before.
async fn memory(manager: &LogManager<Payment>, log_id: LogId) -> Row {
    let done = Arc::new(AtomicBool::new(false));
    let before = resident_kib();
    let watch = Arc::clone(&done);
    // A thread, since a task might have to wait for the reduction.
    let watcher = thread::spawn(move || {
        let mut most = None;
        while !watch.load(Ordering::Relaxed) {
            most = most.max(resident_kib());
            thread::sleep(Duration::from_millis(1));
        }
        most
    });
    manager.reduce(log_id).await.expect("the log exists");
    done.store(true, Ordering::Relaxed);
    let most = watcher.join().expect("it does not panic");
    let growth = before
        .zip(most)
        .map(|(before, most)| f64::from(most.saturating_sub(before)) / 1024.0);
    Row {
        name: MEMORY,
        ours: growth.map_or("?".to_owned(), |mib| format!("{mib:.1} MiB")),
        goal: format!("< {GOAL_MIB} MiB"),
        met: growth.map(|mib| mib < f64::from(GOAL_MIB)),
        ..Row::default()
    }
}

struct Ours {
    manager: LogManager<Payment>,
    log_id: LogId,
    events: u32,
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        let reduced = self.manager.reduce(self.log_id).await;
        let reduced = reduced.expect("the log exists");
        assert_eq!(reduced.applied_events(), u64::from(self.events));
        self.events
    }
}

/// Reads the rows as they arrive.
struct ByHand {
    pool: PgPool,
    log_id: LogId,
    events: u32,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let id = *self.log_id.as_uuid();
        let reduced = by_hand::stream(&self.pool, id, Capture::from_json)
            .await
            .expect("the server answers");
        assert_eq!(reduced.captures, u64::from(self.events));
        self.events
    }
}
