//! Reductions without a cache: all events of a log are read, decoded and added up.

use crate::by_hand::{self, Decode};
use crate::common::arguments::Plan;
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::{Capture, Payment};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::logs::{InTurn, clear, copies, dealt_out, payments, uncached};
use crate::packed::{PackedEvent, PackedPayment, from_msgpack};
use eventlogs::ids::LogId;
use eventlogs::{Aggregate, Event, LogManager};
use sqlx::postgres::PgPool;

/// Logs of one length.
struct Shape {
    events: usize,
    logs: usize,
    /// The row of one task.
    alone: &'static str,
    /// The row of 16 tasks.
    together: &'static str,
    /// The row that says how even the durations of these tasks are, if there is one.
    spread: Option<&'static str>,
}

const JSON: [Shape; 3] = [
    Shape {
        events: 10,
        logs: 1_000,
        alone: "cold, 10 events, 1 task",
        together: "cold, 10 events, 16 tasks",
        spread: Some("cold, 10 events, 16 tasks: p99 / p50"),
    },
    Shape {
        events: 1_000,
        logs: 64,
        alone: "cold, 1,000 events, 1 task",
        together: "cold, 1,000 events, 16 tasks",
        spread: Some("cold, 1,000 events, 16 tasks: p99 / p50"),
    },
    Shape {
        events: 10_000,
        logs: 16,
        alone: "cold, 10,000 events, 1 task",
        together: "cold, 10,000 events, 16 tasks",
        spread: None,
    },
];

const MESSAGE_PACK: Shape = Shape {
    events: 10_000,
    logs: 16,
    alone: "cold, MessagePack, 10,000 events, 1 task",
    together: "cold, MessagePack, 10,000 events, 16 tasks",
    spread: None,
};

const TASKS: usize = 16;

impl Shape {
    fn is_wanted(&self, report: &Report) -> bool {
        let rows = [self.alone, self.together, self.spread.unwrap_or(self.alone)];
        report.arguments.wants_any(&rows)
    }

    /// A round must be much longer than a reduction.
    fn plan(&self, report: &Report) -> Plan {
        if self.events < 10_000 {
            report.arguments.close_race()
        } else {
            report.arguments.throughput()
        }
    }

    async fn measure<A: Aggregate<Event: Event>>(
        &self,
        postgres: &Postgres,
        report: &mut Report,
        logs: &[LogId],
        decode: Decode,
    ) {
        let plan = self.plan(report);
        let contest = async |tasks| {
            let sides = [
                ours::<A>(postgres, logs, self.events, tasks),
                by_hand(postgres, logs, self.events, decode, tasks),
            ];
            compare(plan, sides).await
        };
        if report.arguments.wants(self.alone) {
            let [ours, by_hand] = contest(1).await;
            report.row(&Row::rates(self.alone, &ours, &by_hand, Some(0.95)));
        }
        let together = [self.together, self.spread.unwrap_or(self.together)];
        if report.arguments.wants_any(&together) {
            let [ours, by_hand] = contest(TASKS).await;
            report.row(&Row::rates(self.together, &ours, &by_hand, Some(1.0)));
            if let Some(spread) = self.spread {
                report.row(&Row::spreads(spread, &ours, &by_hand, 4.0));
            }
        }
    }
}

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    for shape in JSON {
        if shape.is_wanted(report) {
            clear(postgres).await;
            let logs = payments(postgres, shape.logs, shape.events).await;
            shape
                .measure::<Payment>(postgres, report, &logs, Capture::from_json)
                .await;
        }
    }
    let shape = MESSAGE_PACK;
    if shape.is_wanted(report) {
        clear(postgres).await;
        let manager = uncached::<PackedPayment>(postgres);
        let event = PackedEvent::Captured(Capture::of(100));
        let logs = copies(postgres, &manager, &event, shape.logs, shape.events).await;
        shape
            .measure::<PackedPayment>(postgres, report, &logs, from_msgpack)
            .await;
    }
}

fn ours<'a, A: Aggregate<Event: Event>>(
    postgres: &'a Postgres,
    logs: &'a [LogId],
    events: usize,
    tasks: usize,
) -> Box<dyn Side + 'a> {
    let manager = uncached::<A>(postgres);
    side(async move || {
        let logs = dealt_out(logs, tasks).into_iter();
        logs.map(|logs| Ours::new(&manager, logs, events)).collect()
    })
}

fn by_hand<'a>(
    postgres: &'a Postgres,
    logs: &'a [LogId],
    events: usize,
    decode: Decode,
    tasks: usize,
) -> Box<dyn Side + 'a> {
    side(async move || {
        let logs = dealt_out(logs, tasks).into_iter();
        logs.map(|logs| ByHand::new(&postgres.pool, logs, events, decode))
            .collect()
    })
}

/// Reduces one log after the other.
pub(crate) struct Ours<A: Aggregate> {
    manager: LogManager<A>,
    logs: InTurn<LogId>,
    events: u64,
}

impl<A: Aggregate> Ours<A> {
    /// Creates a task that reads logs with this number of events.
    pub(crate) fn new(manager: &LogManager<A>, logs: InTurn<LogId>, events: usize) -> Self {
        Self {
            manager: manager.clone(),
            logs,
            events: events as u64,
        }
    }
}

impl<A: Aggregate> Writer for Ours<A> {
    async fn write(&mut self) -> u32 {
        let log_id = *self.logs.next();
        let reduced = self.manager.reduce(log_id).await.expect("the log exists");
        assert_eq!(reduced.applied_events(), self.events);
        1
    }
}

/// Reads all rows of one log after the other.
pub(crate) struct ByHand {
    pool: PgPool,
    logs: InTurn<LogId>,
    events: u64,
    decode: Decode,
}

impl ByHand {
    /// Creates a task that reads logs with this number of events.
    pub(crate) fn new(pool: &PgPool, logs: InTurn<LogId>, events: usize, decode: Decode) -> Self {
        Self {
            pool: pool.clone(),
            logs,
            events: events as u64,
            decode,
        }
    }
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let id = *self.logs.next().as_uuid();
        let reduced = by_hand::reduce(&self.pool, id, self.decode)
            .await
            .expect("the server answers");
        assert_eq!(reduced.captures, self.events);
        1
    }
}
