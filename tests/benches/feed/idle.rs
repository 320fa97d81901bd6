//! Ten subscriptions without anything to do.

use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::load::start_ten;
use eventlogs::sqlx;
use std::fs;
use std::time::Duration;

const CPU: &str = "ten idle subscriptions: processor time, client and server";
const STATEMENTS: &str = "ten idle subscriptions: statements per second";

/// Measures the rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants_any(&[CPU, STATEMENTS]) {
        return;
    }
    let span = Duration::from_secs(if report.arguments.quick { 5 } else { 20 });
    let running = start_ten(postgres).await;
    // What the start has caused must not count.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = (
        on_processor("self"),
        servers_time(postgres).await,
        commits(postgres).await,
    );
    tokio::time::sleep(span).await;
    let after = (
        on_processor("self"),
        servers_time(postgres).await,
        commits(postgres).await,
    );
    running.shutdown().await;
    let client = after.0.zip(before.0);
    let client = client.map(|(after, before)| after.saturating_sub(before));
    let server = after
        .1
        .zip(before.1)
        .map(|(after, before)| after.saturating_sub(before));
    let share = client
        .zip(server)
        .map(|(client, server)| (client + server).as_secs_f64() / span.as_secs_f64() * 100.0);
    report.row(&Row {
        name: CPU,
        ours: share.map_or("?".to_owned(), |share| format!("{share:.2} %")),
        by_hand: format!(
            "{:.1?}/{:.1?}",
            client.unwrap_or_default(),
            server.unwrap_or_default()
        ),
        goal: "<= 0.50 %".to_owned(),
        met: share.map(|share| share <= 0.5),
        ..Row::default()
    });
    let commits = f64::from(u32::try_from(after.2 - before.2).unwrap_or(u32::MAX));
    report.row(&Row {
        name: STATEMENTS,
        ours: format!("{:.0}", commits / span.as_secs_f64()),
        ..Row::default()
    });
}

/// Returns how many transactions were committed in the database. Each statement of the store is one.
async fn commits(postgres: &Postgres) -> i64 {
    // The server counts when a session has been idle for a second.
    let commits = "select xact_commit from pg_stat_database where datname = current_database()";
    sqlx::query_scalar(commits)
        .fetch_one(&postgres.pool)
        .await
        .expect("the server answers")
}

/// Returns the processor time of the server's sessions; `None` if they are not on this machine.
async fn servers_time(postgres: &Postgres) -> Option<Duration> {
    let pids: Vec<i32> =
        sqlx::query_scalar("select pid from pg_stat_activity where datname = current_database()")
            .fetch_all(&postgres.pool)
            .await
            .ok()?;
    pids.into_iter().map(on_processor).sum()
}

/// Returns how long a process has been on a processor. The clock of the scheduler counts nanoseconds, not ticks.
fn on_processor(pid: impl std::fmt::Display) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let stat = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        let nanoseconds = stat.split_whitespace().next()?.parse().ok()?;
        sum += Duration::from_nanos(nanoseconds);
    }
    Some(sum)
}
