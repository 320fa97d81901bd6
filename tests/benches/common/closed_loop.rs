//! A round: tasks that each write, wait for the result, and write again, until the time is over.

use crate::common::process;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;

/// One of the tasks of a round.
pub(crate) trait Writer: Send + 'static {
    /// Writes once, waits for the result, and returns the number of events.
    fn write(&mut self) -> impl Future<Output = u32> + Send;
}

/// The result of a round.
#[derive(Debug)]
pub(crate) struct Round {
    /// The number of events that were acknowledged.
    pub(crate) events: u32,
    /// The time from the common start to the last result.
    pub(crate) elapsed: Duration,
    /// The processor time that this process used meanwhile.
    pub(crate) cpu: Option<Duration>,
    /// The median duration of a call.
    pub(crate) p50: Duration,
    /// The 99th percentile of the duration of a call.
    pub(crate) p99: Duration,
}

/// Runs all writers concurrently, each in a task of its own.
pub(crate) async fn run<W: Writer>(writers: Vec<W>, span: Duration) -> Round {
    let start = Arc::new(Barrier::new(writers.len() + 1));
    let tasks: Vec<_> = writers
        .into_iter()
        .map(|writer| tokio::spawn(write_on(writer, span, Arc::clone(&start))))
        .collect();
    let cpu = process::cpu_time();
    start.wait().await;
    let begin = Instant::now();
    let mut events = 0;
    let mut latencies = Vec::new();
    for task in tasks {
        let (stored, took) = task.await.expect("a writer does not panic");
        events += stored;
        latencies.extend(took);
    }
    let elapsed = begin.elapsed();
    let cpu = cpu.and_then(|before| Some(process::cpu_time()?.saturating_sub(before)));
    latencies.sort_unstable();
    Round {
        events,
        elapsed,
        cpu,
        p50: percentile(&latencies, 50),
        p99: percentile(&latencies, 99),
    }
}

async fn write_on(
    mut writer: impl Writer,
    span: Duration,
    start: Arc<Barrier>,
) -> (u32, Vec<Duration>) {
    let mut events = 0;
    let mut latencies = Vec::new();
    start.wait().await;
    let begin = Instant::now();
    while begin.elapsed() < span {
        let called = Instant::now();
        events += writer.write().await;
        latencies.push(called.elapsed());
    }
    (events, latencies)
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = sorted.len() * percent / 100;
    sorted.get(place).copied().unwrap_or_default()
}
