//! Decisions on many logs, where no two tasks use one log at the same time.
//!
//! Each side gets 1,000 new logs of ten events in each round. The side by hand reads all events of a log for each decision, and
//! logs grow with each decision: on the same logs in all rounds the slower side would get slower and slower.

use crate::by_hand::{self, Log};
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::{CAPTURED, Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use eventlogs::ids::LogId;
use eventlogs::{DecideOptions, LogManager};
use futures_util::future::join_all;
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Row as _};
use std::convert::Infallible;

const ROWS: [(&str, usize, f64); 3] = [
    ("decide, 1,000 logs, 16 tasks", 16, 3.0),
    ("decide, 1,000 logs, 64 tasks", 64, 6.0),
    ("decide, 1,000 logs, 250 tasks", 250, 12.0),
];

const LOGS: usize = 1_000;
/// The number of events of a log before a round.
pub(crate) const EVENTS: usize = 10;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    for (name, tasks, goal) in ROWS {
        if report.arguments.wants(name) {
            postgres.settle().await;
            let sides = [ours(postgres, tasks), by_hand(postgres, tasks)];
            let [ours, by_hand] = compare(report.arguments.throughput(), sides).await;
            report.row(&Row::rates(name, &ours, &by_hand, Some(goal)));
        }
    }
}

fn ours(postgres: &Postgres, tasks: usize) -> Box<dyn Side + '_> {
    side(async move || {
        let payments = postgres.payments();
        let logs = by_hand::logs_of(&postgres.pool, LOGS, EVENTS).await;
        let logs: Vec<_> = logs.into_iter().map(|log| LogId::from(log.id)).collect();
        warm_up(&payments, &logs).await;
        let writer = |logs| Ours {
            payments: payments.clone(),
            logs,
            turn: 0,
        };
        dealt_out(&logs, tasks).into_iter().map(writer).collect()
    })
}

fn by_hand(postgres: &Postgres, tasks: usize) -> Box<dyn Side + '_> {
    let pool = &postgres.pool;
    side(async move || {
        let logs = by_hand::logs_of(pool, LOGS, EVENTS).await;
        let writer = |logs| ByHand {
            pool: pool.clone(),
            logs,
            turn: 0,
        };
        dealt_out(&logs, tasks).into_iter().map(writer).collect()
    })
}

/// Loads all logs into the cache. Not all at once, since its queue is bounded.
pub(crate) async fn warm_up(payments: &LogManager<Payment>, logs: &[LogId]) {
    for logs in logs.chunks(100) {
        for reduced in join_all(logs.iter().map(|log| payments.reduce(log))).await {
            let reduced = reduced.expect("the log was just written by hand");
            assert_eq!(reduced.aggregate().captures, EVENTS as u64);
        }
        payments.flush_cache().await;
    }
}

/// Assigns each log to exactly one task.
fn dealt_out<T: Copy>(logs: &[T], tasks: usize) -> Vec<Vec<T>> {
    (0..tasks)
        .map(|task| logs.iter().skip(task).step_by(tasks).copied().collect())
        .collect()
}

struct Ours {
    payments: LogManager<Payment>,
    logs: Vec<LogId>,
    turn: usize,
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        let log_id = self.logs[self.turn % self.logs.len()];
        self.turn += 1;
        self.payments
            .decide(&log_id, &DecideOptions::default(), |payment| {
                Ok::<_, Infallible>([PaymentEvent::Captured(payment.next_capture())])
            })
            .await
            .expect("no other writer uses this log");
        1
    }
}

/// Reads all events of a log, adds them up, and appends one.
struct ByHand {
    pool: PgPool,
    logs: Vec<Log>,
    turn: usize,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let id = self.logs[self.turn % self.logs.len()].id;
        self.turn += 1;
        let mut log = Log { id, next: 0 };
        let mut payment = Payment::default();
        // One connection for both statements saves a wait for the pool.
        let mut connection = self
            .pool
            .acquire()
            .await
            .expect("the server accepts the connection");
        read_on(&mut connection, &mut log, &mut payment).await;
        by_hand::append(&mut *connection, &mut log, &payment.next_capture())
            .await
            .expect("no other writer uses this log");
        1
    }
}

/// Reads by hand the new events of a log, and adds them up.
pub(crate) async fn read_on(connection: &mut PgConnection, log: &mut Log, payment: &mut Payment) {
    const TAIL: &str = "
        select event_index, event_type, payload from events
        where log_id = $1 and event_index >= $2
        order by event_index";
    let rows = sqlx::query(TAIL)
        .bind(log.id)
        .bind(log.next)
        .fetch_all(connection)
        .await
        .expect("the server answers");
    for row in rows {
        if row.get::<&str, _>(1) == CAPTURED {
            payment.capture(&Capture::from_json(row.get(2)));
        }
        log.next = row.get::<i64, _>(0) + 1;
    }
}
