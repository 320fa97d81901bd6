//! Reductions from a cache in the process.
//!
//! By hand, the states are in a map, and a statement reads the new events of a log, of which there are none.

use crate::by_hand::State;
use crate::common::arguments::Plan;
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::Payment;
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::logs::{InTurn, clear, dealt_out, payments, warm_up};
use eventlogs::ids::LogId;
use eventlogs::{Freshness, LogManager, ReduceOptions};
use sqlx::postgres::PgPool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

const ALONE: &str = "warm in memory, 1 task";
const TOGETHER: &str = "warm in memory, 16 tasks";
const SPREAD: &str = "warm in memory, 16 tasks: p99 / p50";

const CACHED: &str = "as cached, in memory, 1 task";
/// Reductions per second on one processor.
const CACHED_GOAL: f64 = 1_000_000.0;

const TASKS: usize = 16;
const LOGS: usize = 1_000;
/// The number of events of a log.
const EVENTS: usize = 10;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report
        .arguments
        .wants_any(&[ALONE, TOGETHER, SPREAD, CACHED])
    {
        return;
    }
    clear(postgres).await;
    let logs = payments(postgres, LOGS, EVENTS).await;
    let manager = postgres.payments();
    warm_up(&manager, &logs).await;
    let states = States::of(postgres, &logs).await;
    let plan = report.arguments.close_race();
    let contest = async |tasks| {
        let sides = [
            ours(&manager, &logs, tasks),
            by_hand(&postgres.pool, &states, &logs, tasks),
        ];
        compare(plan, sides).await
    };
    if report.arguments.wants(ALONE) {
        let [ours, by_hand] = contest(1).await;
        report.row(&Row::rates(ALONE, &ours, &by_hand, Some(0.95)));
    }
    if report.arguments.wants_any(&[TOGETHER, SPREAD]) {
        let [ours, by_hand] = contest(TASKS).await;
        report.row(&Row::rates(TOGETHER, &ours, &by_hand, Some(1.0)));
        report.row(&Row::spreads(SPREAD, &ours, &by_hand, 4.0));
    }
    if report.arguments.wants(CACHED) {
        report.row(&as_cached(&manager, &logs, plan).await);
    }
}

/// Measures reductions that ask no server.
async fn as_cached(manager: &LogManager<Payment>, logs: &[LogId], plan: Plan) -> Row {
    let readers = async || {
        let reader = |logs| AsCached {
            manager: manager.clone(),
            logs,
        };
        dealt_out(logs, 1)
            .into_iter()
            .map(reader)
            .collect::<Vec<_>>()
    };
    let [ours] = compare(plan, [side(readers)]).await;
    Row {
        name: CACHED,
        ours: format!("{:.0}", ours.rate),
        goal: format!(">= {CACHED_GOAL:.0}"),
        met: Some(ours.rate >= CACHED_GOAL),
        ..Row::default()
    }
}

struct AsCached {
    manager: LogManager<Payment>,
    logs: InTurn<LogId>,
}

impl Writer for AsCached {
    async fn write(&mut self) -> u32 {
        /// The number of reductions in one call, so that the clock is read seldom.
        const CALLS: u32 = 1_000;
        let options = ReduceOptions {
            freshness: Freshness::Cached,
        };
        for _ in 0..CALLS {
            let log_id = *self.logs.next();
            let reduced = self.manager.reduce_with(log_id, &options).await;
            let reduced = reduced.expect("the log exists");
            assert_eq!(reduced.aggregate().captures, EVENTS as u64);
        }
        CALLS
    }
}

/// Creates the side of a manager whose cache has all logs.
pub(crate) fn ours<'a>(
    manager: &'a LogManager<Payment>,
    logs: &'a [LogId],
    tasks: usize,
) -> Box<dyn Side + 'a> {
    side(async move || {
        let writer = |logs| Ours {
            manager: manager.clone(),
            logs,
        };
        dealt_out(logs, tasks).into_iter().map(writer).collect()
    })
}

fn by_hand<'a>(
    pool: &'a PgPool,
    states: &'a States,
    logs: &'a [LogId],
    tasks: usize,
) -> Box<dyn Side + 'a> {
    side(async move || {
        let writer = |logs| ByHand {
            pool: pool.clone(),
            states: states.clone(),
            logs,
        };
        dealt_out(logs, tasks).into_iter().map(writer).collect()
    })
}

struct Ours {
    manager: LogManager<Payment>,
    logs: InTurn<LogId>,
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        let log_id = *self.logs.next();
        let reduced = self.manager.reduce(log_id).await.expect("the log exists");
        assert_eq!(reduced.aggregate().captures, EVENTS as u64);
        1
    }
}

/// The cache by hand.
#[derive(Debug, Default, Clone)]
struct States(Arc<Mutex<HashMap<Uuid, State>>>);

impl States {
    async fn of(postgres: &Postgres, logs: &[LogId]) -> Self {
        let states = Self::default();
        for log in logs {
            let id = *log.as_uuid();
            let mut state = State::default();
            state
                .catch_up(&postgres.pool, id)
                .await
                .expect("the server answers");
            states.put(id, state);
        }
        states
    }

    fn get(&self, id: Uuid) -> State {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(&id).cloned().unwrap_or_default()
    }

    fn put(&self, id: Uuid, state: State) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(id, state);
    }
}

struct ByHand {
    pool: PgPool,
    states: States,
    logs: InTurn<LogId>,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let id = *self.logs.next().as_uuid();
        let mut state = self.states.get(id);
        let is_newer = state
            .catch_up(&self.pool, id)
            .await
            .expect("the server answers");
        assert_eq!(state.payment.captures, EVENTS as u64);
        if is_newer {
            self.states.put(id, state);
        }
        1
    }
}
