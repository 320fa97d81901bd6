//! The time from an append to its effect.

use crate::common::payments::{Capture, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row, milliseconds};
use crate::events::{TotalRow, Totals};
use eventlogs::ids::LogId;
use eventlogs::projection::{Postgres as OnPostgres, Projection};
use eventlogs::sqlx::Executor;
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{CreateOptions, Rows};
use std::time::{Duration, Instant};

const SQL: &str = "from append to effect of a SQL projection, woken";
const ROWS: &str = "from append to row, woken";

/// Measures the rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if report.arguments.wants(SQL) {
        latency(postgres, report, SQL, Totals).await;
    }
    if report.arguments.wants(ROWS) {
        latency(postgres, report, ROWS, Rows::<TotalRow>::new()).await;
    }
}

async fn latency<P: Projection<Database = OnPostgres>>(
    postgres: &Postgres,
    report: &mut Report,
    name: &'static str,
    projection: P,
) {
    let running = Subscriptions::new(&postgres.store)
        .projection(projection)
        .start()
        .await
        .expect("it is registered");
    let payments = postgres.payments();
    let calls = if report.arguments.quick { 500 } else { 5_000 };
    let mut latencies = Vec::new();
    for call in 0..calls {
        let captured = PaymentEvent::Captured(Capture::of(call));
        let begun = Instant::now();
        let state = payments
            .create(&LogId::new(), &captured, &CreateOptions::default())
            .await
            .expect("the server answers");
        let limit = Duration::from_secs(10);
        running
            .wait_for("bench_totals", state, limit)
            .await
            .expect("the event is handled");
        latencies.push(begun.elapsed());
        // Not in step with the poll.
        tokio::time::sleep(Duration::from_micros(call % 7 * 300)).await;
    }
    running.shutdown().await;
    let drop =
        "drop schema if exists bench_totals cascade; truncate checkpoints; truncate subscriptions";
    postgres.pool.execute(drop).await.expect("the tables exist");
    latencies.sort_unstable();
    let p50 = milliseconds(latencies[latencies.len() / 2]);
    let p99 = milliseconds(latencies[latencies.len() * 99 / 100]);
    report.row(&Row {
        name,
        ours: format!("{p50:.1}/{p99:.1} ms"),
        goal: "<= 5/25 ms".to_owned(),
        met: Some(p50 <= 5.0 && p99 <= 25.0),
        ..Row::default()
    });
}
