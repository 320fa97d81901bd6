//! A projection in SQL, and one of rows, that catch up.

use crate::by_hand;
use crate::by_hand::Writing;
use crate::common::postgres::Postgres;
use crate::common::report::Report;
use crate::events::{TotalRow, Totals, fill, last_event};
use crate::reading::{median, ratio};
use eventlogs::Rows;
use eventlogs::projection::{Postgres as OnPostgres, Projection};
use eventlogs::sqlx::{self, Executor};
use eventlogs::subscriptions::Subscriptions;
use std::time::{Duration, Instant};

const ROW: &str = "SQL projection, catching up";
const ROWS: &str = "row projection, catching up, / one statement per event";
const FOLDED: &str = "row projection, catching up, / a fold by hand, unnest";

/// Measures the rows of this file. All compare with a loop by hand over the same pages, whose commits do not wait for the disk
/// either.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if report.arguments.wants(ROW) {
        let goal = (ROW, 0.9);
        contest(postgres, report, goal, Writing::EachEvent, || Totals).await;
    }
    let rows = Rows::<TotalRow>::new;
    if report.arguments.wants(ROWS) {
        contest(postgres, report, (ROWS, 1.5), Writing::EachEvent, rows).await;
    }
    if report.arguments.wants(FOLDED) {
        contest(postgres, report, (FOLDED, 0.6), Writing::Folded, rows).await;
    }
}

async fn contest<P: Projection<Database = OnPostgres>>(
    postgres: &Postgres,
    report: &mut Report,
    (name, goal): (&'static str, f64),
    writing: Writing,
    projection: impl Fn() -> P,
) {
    let events = if report.arguments.quick {
        20_000
    } else {
        100_000
    };
    let rounds = if report.arguments.quick { 3 } else { 5 };
    fill(postgres, events).await;
    let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for side in 0..2 {
            let took = if (round + side) % 2 == 0 {
                clear(postgres).await;
                let begun = Instant::now();
                let running = Subscriptions::new(&postgres.store)
                    .projection(projection())
                    .start()
                    .await
                    .expect("it is registered");
                let last = last_event(events);
                running
                    .wait_for("bench_totals", last, Duration::from_mins(5))
                    .await
                    .expect("all events are handled");
                let took = begun.elapsed();
                running.shutdown().await;
                ours.push(rate(events, took));
                took
            } else {
                by_hand::create(&postgres.pool).await;
                let begun = Instant::now();
                by_hand::project_all(&postgres.pool, writing).await;
                let took = begun.elapsed();
                by_hand.push(rate(events, took));
                took
            };
            check(postgres, events, took).await;
        }
    }
    clear(postgres).await;
    report.row(&ratio(name, median(ours), median(by_hand), goal));
}

async fn clear(postgres: &Postgres) {
    let clear =
        "drop schema if exists bench_totals cascade; truncate checkpoints; truncate subscriptions";
    postgres
        .pool
        .execute(clear)
        .await
        .expect("the tables exist");
}

/// Both sides must have handled everything.
async fn check(postgres: &Postgres, events: usize, took: Duration) {
    let sum = "select sum(captured)::bigint from bench_totals.totals";
    let sum: i64 = sqlx::query_scalar(sum)
        .fetch_one(&postgres.pool)
        .await
        .expect("the table exists");
    assert_eq!(sum.unsigned_abs(), events as u64 * 100, "after {took:?}");
}

fn rate(events: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(events).unwrap_or(u32::MAX)) / took.as_secs_f64()
}
