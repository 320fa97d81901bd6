//! Appends of one event, each writer to its own log, which is new in each round.

use crate::by_hand::{self, Log};
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::{Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row, milliseconds};
use eventlogs::ids::LogId;
use eventlogs::{AppendOptions, CreateOptions, LogManager, LogState};
use futures_util::future::join_all;
use sqlx::Postgres as Driver;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use std::sync::Arc;
use tokio::sync::Mutex;

const ONE: &str = "append, 1 writer";
const ONE_HELD: &str = "append, 1 writer / a held connection by hand";
const SOME: &str = "append, 64 writers";
const SOME_HELD: &str = "append, 64 writers / 16 held connections by hand";
const SOME_BATCHED: &str = "append, 64 writers / batches of 64 by hand";
const SOME_LATENCY: &str = "append, 64 writers: our p99 below the p50 by hand";
const MANY: &str = "append, 256 writers";
const MANY_BATCHED: &str = "append, 256 writers / batches of 256 by hand";

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if report.arguments.wants_any(&[ONE, ONE_HELD]) {
        postgres.settle().await;
        let sides = [
            ours(postgres, 1),
            one_by_one(postgres, 1),
            held(postgres, 1),
        ];
        let [ours, by_hand, held] = compare(report.arguments.close_race(), sides).await;
        report.row(&Row::rates(ONE, &ours, &by_hand, Some(0.95)));
        report.row(&Row::rates(ONE_HELD, &ours, &held, None));
    }
    if (report.arguments).wants_any(&[SOME, SOME_HELD, SOME_BATCHED, SOME_LATENCY]) {
        postgres.settle().await;
        let sides = [
            ours(postgres, 64),
            one_by_one(postgres, 64),
            held(postgres, 64),
            batched(postgres, 64),
        ];
        let [ours, by_hand, held, batched] = compare(report.arguments.throughput(), sides).await;
        report.row(&Row::rates(SOME, &ours, &by_hand, Some(4.0)));
        report.row(&Row::rates(SOME_HELD, &ours, &held, None));
        report.row(&Row::rates(SOME_BATCHED, &ours, &batched, Some(0.7)));
        let row = Row {
            name: SOME_LATENCY,
            ours: format!("{:.2} ms", milliseconds(ours.p99)),
            by_hand: format!("{:.2} ms", milliseconds(by_hand.p50)),
            ratio: format!("{:.2}", ours.p99.as_secs_f64() / by_hand.p50.as_secs_f64()),
            goal: "< 1.00".to_owned(),
            met: Some(ours.p99 < by_hand.p50),
            ..Row::default()
        };
        report.row(&row.with_details(&ours, &by_hand));
    }
    if report.arguments.wants_any(&[MANY, MANY_BATCHED]) {
        postgres.settle().await;
        let sides = [
            ours(postgres, 256),
            one_by_one(postgres, 256),
            batched(postgres, 256),
        ];
        let [ours, by_hand, batched] = compare(report.arguments.throughput(), sides).await;
        report.row(&Row::rates(MANY, &ours, &by_hand, Some(6.0)));
        report.row(&Row::rates(MANY_BATCHED, &ours, &batched, None));
    }
}

fn ours(postgres: &Postgres, writers: usize) -> Box<dyn Side + '_> {
    let payments = postgres.payments();
    side(async move || join_all((0..writers).map(|_| Ours::new(payments.clone()))).await)
}

fn one_by_one(postgres: &Postgres, writers: usize) -> Box<dyn Side + '_> {
    side(async move || {
        let logs = by_hand::logs_of(&postgres.pool, writers, 1).await;
        let pool = &postgres.pool;
        let writer = |log| OneByOne {
            pool: pool.clone(),
            log,
        };
        logs.into_iter().map(writer).collect()
    })
}

/// Writers by hand on connections that they never return to the pool. The pool tests a returned connection, which is a round
/// trip that no option avoids. No service is written like this; the row shows how much of a ratio is due to the pool.
fn held(postgres: &Postgres, writers: usize) -> Box<dyn Side + '_> {
    side(async move || {
        let pool = &postgres.pool;
        let logs = by_hand::logs_of(pool, writers, 1).await;
        let connections = (0..writers.min(16)).map(|_| pool.acquire());
        let connections: Vec<_> = join_all(connections)
            .await
            .into_iter()
            .map(|connection| Arc::new(Mutex::new(connection.expect("the server connects"))))
            .collect();
        let writer = |(connection, log): (&Arc<_>, _)| Held {
            connection: Arc::clone(connection),
            log,
        };
        connections.iter().cycle().zip(logs).map(writer).collect()
    })
}

/// One task by hand with its own connection, which always has a whole batch ready. It is the best case, since it never waits
/// for an event of another task.
fn batched(postgres: &Postgres, rows: usize) -> Box<dyn Side + '_> {
    side(async move || {
        let pool = &postgres.pool;
        let connection = pool
            .acquire()
            .await
            .expect("the server accepts the connection");
        let logs = by_hand::logs_of(pool, rows, 1).await;
        vec![Batched { connection, logs }]
    })
}

/// A writer that uses the library.
#[derive(Debug)]
pub(crate) struct Ours {
    payments: LogManager<Payment>,
    state: LogState<PaymentEvent>,
}

impl Ours {
    /// Creates a writer with a new log, which has one event.
    pub(crate) async fn new(payments: LogManager<Payment>) -> Self {
        let event = PaymentEvent::Captured(Capture::of(1));
        let state = payments
            .create(&LogId::new(), &event, &CreateOptions::default())
            .await
            .expect("the log is new");
        Self { payments, state }
    }

    /// Returns the end of the log.
    pub(crate) const fn state(&self) -> LogState<PaymentEvent> {
        self.state
    }

    /// Appends the next event.
    pub(crate) async fn append(&mut self, options: AppendOptions) {
        let event = PaymentEvent::Captured(Capture::of(self.state.index()));
        let appended = self.payments.append(self.state, &event, &options).await;
        self.state = appended.expect("no other writer uses this log");
    }

    /// Appends the next event with a key.
    pub(crate) async fn append_with_key(&mut self, key: String) {
        let options = AppendOptions {
            idempotency_key: Some(key),
            ..Default::default()
        };
        self.append(options).await;
    }
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        self.append(AppendOptions::default()).await;
        1
    }
}

struct OneByOne {
    pool: PgPool,
    log: Log,
}

impl Writer for OneByOne {
    async fn write(&mut self) -> u32 {
        let capture = Capture::of(self.log.next.unsigned_abs());
        by_hand::append(&self.pool, &mut self.log, &capture)
            .await
            .expect("no other writer uses this log");
        1
    }
}

struct Held {
    connection: Arc<Mutex<PoolConnection<Driver>>>,
    log: Log,
}

impl Writer for Held {
    async fn write(&mut self) -> u32 {
        let capture = Capture::of(self.log.next.unsigned_abs());
        let mut connection = self.connection.lock().await;
        by_hand::append(&mut **connection, &mut self.log, &capture)
            .await
            .expect("no other writer uses this log");
        1
    }
}

struct Batched {
    connection: PoolConnection<Driver>,
    logs: Vec<Log>,
}

impl Writer for Batched {
    async fn write(&mut self) -> u32 {
        let amount = self.logs.first().map_or(0, |log| log.next.unsigned_abs());
        by_hand::append_to_each(&mut self.connection, &mut self.logs, amount)
            .await
            .expect("no other writer uses these logs");
        u32::try_from(self.logs.len()).expect("a batch is small")
    }
}
