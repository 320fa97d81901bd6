//! The memory that waiting appends hold while the database does not respond, and their results afterwards.

use crate::common::payments::{Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::process::resident_kib;
use crate::common::report::{Report, Row};
use eventlogs::ids::LogId;
use eventlogs::{CreateOptions, LogManager, LogManagerError};
use sqlx::Executor;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

const ROW: &str = "stalled database: memory beside 20,000 callers of 16 KiB";

const CALLERS: usize = 20_000;
const PAYLOAD: usize = 16 * 1024;
/// The time for which the database does not respond; shorter than any timeout.
const STALL: Duration = Duration::from_secs(3);
/// The maximum time that the results may take afterwards.
const PATIENCE: Duration = Duration::from_mins(1);
/// The library lets at most 64 MiB of encoded payload wait in its queue. The same amount again is for the calls themselves,
/// some KiB each, and for the statements in flight.
const GOAL_MIB: u32 = 128;

/// Measures the only row of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants(ROW) {
        return;
    }
    let payments = postgres.payments();
    let lock = "lock table events in access exclusive mode";
    let mut elsewhere = postgres.pool.begin().await.expect("the server answers");
    elsewhere
        .execute(lock)
        .await
        .expect("no other session holds the lock");

    let before = resident_kib();
    let have_events = Arc::new(Barrier::new(CALLERS + 1));
    let may_call = Arc::new(Barrier::new(CALLERS + 1));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (have, may) = (Arc::clone(&have_events), Arc::clone(&may_call));
            tokio::spawn(call(payments.clone(), have, may))
        })
        .collect();
    have_events.wait().await;
    let with_events = resident_kib();
    may_call.wait().await;
    let most = most_resident(STALL).await;
    let early = callers.iter().filter(|caller| caller.is_finished()).count();
    elsewhere.rollback().await.expect("the server answers");

    let released = Instant::now();
    let answers = Answers::of(callers).await;
    let mib = |from: Option<u32>, to: Option<u32>| Some(to?.saturating_sub(from?) / 1024);
    let growth = mib(with_events, most);
    let or_unknown = |mib: Option<u32>| mib.map_or("?".to_owned(), |mib| format!("{mib} MiB"));
    report.row(&Row {
        name: ROW,
        ours: or_unknown(growth),
        goal: format!("<={GOAL_MIB} MiB"),
        met: growth.map(|growth| growth <= GOAL_MIB && answers.stored == CALLERS),
        ..Row::default()
    });
    println!(
        "    the callers' own events and tasks: {}; returned early: {early}; {:.1} s after the end of the stall: {} stored, \
         {} refused, {} without a result{}",
        or_unknown(mib(before, with_events)),
        released.elapsed().as_secs_f64(),
        answers.stored,
        answers.refused,
        answers.missing,
        answers
            .why
            .map_or_else(String::new, |why| format!("; {why}")),
    );
}

/// Creates an event, and appends it once all other callers have theirs, too.
async fn call(
    payments: LogManager<Payment>,
    have_events: Arc<Barrier>,
    may_call: Arc<Barrier>,
) -> Result<(), LogManagerError> {
    let event = PaymentEvent::Captured(Capture::with_note(1, "x".repeat(PAYLOAD)));
    have_events.wait().await;
    may_call.wait().await;
    let options = CreateOptions::default();
    payments
        .create(&LogId::new(), &event, &options)
        .await
        .map(|_| ())
}

/// Returns the maximum memory of this process within a time.
async fn most_resident(time: Duration) -> Option<u32> {
    let begin = Instant::now();
    let mut most = resident_kib();
    while begin.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(50)).await;
        most = most.max(resident_kib());
    }
    most
}

/// The results of the callers.
#[derive(Debug, Default)]
struct Answers {
    stored: usize,
    refused: usize,
    missing: usize,
    /// The error of the first append that was refused.
    why: Option<String>,
}

impl Answers {
    async fn of(callers: Vec<JoinHandle<Result<(), LogManagerError>>>) -> Self {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut answers = Self::default();
        for caller in callers {
            match tokio::time::timeout_at(deadline, caller).await {
                Ok(answer) => match answer.expect("a caller does not panic") {
                    Ok(()) => answers.stored += 1,
                    Err(error) => {
                        answers.refused += 1;
                        answers.why.get_or_insert_with(|| error.to_string());
                    }
                },
                Err(_) => answers.missing += 1,
            }
        }
        answers
    }
}
