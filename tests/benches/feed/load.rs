//! Appends at a fixed rate, alone and beside ten subscriptions.

use crate::common::payments::{Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row, milliseconds};
use crate::events::Counter;
use crate::reading::median;
use eventlogs::ids::LogId;
use eventlogs::subscriptions::{RunningSubscriptions, Subscriptions};
use eventlogs::{AppendOptions, CreateOptions, LogManager, LogState, PostgresEventStore};
use std::time::{Duration, Instant};

const RATE: &str = "5,000 appends/s of 64 writers, beside ten subscriptions";
const P99: &str = "p99 of these appends / alone";

/// The number of writers.
const WRITERS: u32 = 64;
/// The number of appends per second.
const PER_SECOND: u32 = 5_000;

/// Measures the rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants_any(&[RATE, P99]) {
        return;
    }
    let rounds = if report.arguments.quick { 3 } else { 7 };
    let span = Duration::from_secs(if report.arguments.quick { 2 } else { 5 });
    let mut alone: (Vec<f64>, Vec<f64>) = Default::default();
    let mut beside: (Vec<f64>, Vec<f64>) = Default::default();
    write(postgres, span).await;
    for round in 0..rounds {
        for side in 0..2 {
            let is_alone = (round + side) % 2 == 0;
            let running = if is_alone {
                None
            } else {
                Some(start_ten(postgres).await)
            };
            let (rate, p99) = write(postgres, span).await;
            if let Some(running) = running {
                running.shutdown().await;
            }
            let side = if is_alone { &mut alone } else { &mut beside };
            side.0.push(rate);
            side.1.push(p99);
        }
    }
    let ratio = median(beside.0.clone()) / median(alone.0.clone());
    report.row(&Row {
        name: RATE,
        ours: format!("{:.0}", median(beside.0)),
        by_hand: format!("{:.0}", median(alone.0)),
        ratio: format!("{ratio:.2}"),
        goal: ">= 0.97".to_owned(),
        met: Some(ratio >= 0.97),
        ..Row::default()
    });
    let (ours, base) = (median(beside.1), median(alone.1));
    report.row(&Row {
        name: P99,
        ours: format!("{ours:.2} ms"),
        by_hand: format!("{base:.2} ms"),
        ratio: format!("{:.2}", ours / base),
        goal: "<= 1.50".to_owned(),
        met: Some(ours / base <= 1.5),
        ..Row::default()
    });
}

/// Starts ten subscriptions, which have nothing left to catch up.
pub(crate) async fn start_ten(postgres: &Postgres) -> RunningSubscriptions<PostgresEventStore> {
    let now = || eventlogs::subscriptions::SubscriptionOptions {
        start_at: eventlogs::subscriptions::StartAt::Now,
        ..Default::default()
    };
    let clear = "truncate checkpoints; truncate subscriptions";
    sqlx::Executor::execute(&postgres.pool, clear)
        .await
        .expect("the tables exist");
    let running = Subscriptions::new(&postgres.store)
        .projection_with(Counter::<0>::default(), now())
        .projection_with(Counter::<1>::default(), now())
        .projection_with(Counter::<2>::default(), now())
        .projection_with(Counter::<3>::default(), now())
        .projection_with(Counter::<4>::default(), now())
        .projection_with(Counter::<5>::default(), now())
        .projection_with(Counter::<6>::default(), now())
        .projection_with(Counter::<7>::default(), now())
        .projection_with(Counter::<8>::default(), now())
        .projection_with(Counter::<9>::default(), now());
    running.start().await.expect("they are registered")
}

/// Appends at the fixed rate; returns the rate that was reached, and the p99 in milliseconds, counted from when each append was
/// due.
async fn write(postgres: &Postgres, span: Duration) -> (f64, f64) {
    let payments = postgres.payments();
    let begun = Instant::now();
    let interval = Duration::from_secs(1) * WRITERS / PER_SECOND;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let first = interval * writer / WRITERS;
            tokio::spawn(append_on(
                payments.clone(),
                begun + first,
                interval,
                begun + span,
            ))
        })
        .collect();
    let mut latencies = Vec::new();
    for writer in writers {
        latencies.extend(writer.await.expect("a writer does not panic"));
    }
    let elapsed = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let count = f64::from(u32::try_from(latencies.len()).unwrap_or(u32::MAX));
    (
        count / elapsed,
        milliseconds(latencies[latencies.len() * 99 / 100]),
    )
}

async fn append_on(
    payments: LogManager<Payment>,
    mut due: Instant,
    interval: Duration,
    end: Instant,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    let mut state: Option<LogState<PaymentEvent>> = None;
    while due < end {
        tokio::time::sleep_until(due.into()).await;
        let event = PaymentEvent::Captured(Capture::of(100));
        let appended = match state {
            Some(state) => {
                payments
                    .append(state, &event, &AppendOptions::default())
                    .await
            }
            None => {
                payments
                    .create(&LogId::new(), &event, &CreateOptions::default())
                    .await
            }
        };
        state = Some(appended.expect("the server answers"));
        latencies.push(due.elapsed());
        due += interval;
    }
    latencies
}
