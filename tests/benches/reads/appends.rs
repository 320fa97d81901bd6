//! A reduction, then an append of the caller, where no two tasks use one log.
//!
//! By hand, each task has the states of its logs in memory. It reads the new events of a log, which are its own last append, and
//! inserts one row, on one connection.

use crate::by_hand::State;
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::{Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::logs::{InTurn, clear, dealt_out, payments, warm_up};
use crate::writing_by_hand::{self, Log};
use eventlogs::ids::LogId;
use eventlogs::{AppendOptions, LogManager};
use sqlx::postgres::PgPool;
use uuid::Uuid;

const ROWS: [(&str, usize, Option<f64>); 3] = [
    ("reduce, then append, 1,000 logs, 16 tasks", 16, None),
    ("reduce, then append, 1,000 logs, 64 tasks", 64, Some(2.0)),
    ("reduce, then append, 1,000 logs, 250 tasks", 250, None),
];

const LOGS: usize = 1_000;
/// The number of events of a log before a round.
const EVENTS: usize = 10;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    for (name, tasks, goal) in ROWS {
        if report.arguments.wants(name) {
            clear(postgres).await;
            let sides = [ours(postgres, tasks), by_hand(postgres, tasks)];
            let [ours, by_hand] = compare(report.arguments.throughput(), sides).await;
            report.row(&Row::rates(name, &ours, &by_hand, goal));
        }
    }
}

fn ours(postgres: &Postgres, tasks: usize) -> Box<dyn Side + '_> {
    side(async move || {
        let logs = payments(postgres, LOGS, EVENTS).await;
        let manager = postgres.payments();
        warm_up(&manager, &logs).await;
        let writer = |logs| Ours {
            manager: manager.clone(),
            logs,
        };
        dealt_out(&logs, tasks).into_iter().map(writer).collect()
    })
}

fn by_hand(postgres: &Postgres, tasks: usize) -> Box<dyn Side + '_> {
    side(async move || {
        let mut logs = Vec::new();
        for log in payments(postgres, LOGS, EVENTS).await {
            let id = *log.as_uuid();
            let mut state = State::default();
            state
                .catch_up(&postgres.pool, id)
                .await
                .expect("the server answers");
            logs.push((id, state));
        }
        let writer = |logs| ByHand {
            pool: postgres.pool.clone(),
            logs,
        };
        dealt_out(&logs, tasks).into_iter().map(writer).collect()
    })
}

struct Ours {
    manager: LogManager<Payment>,
    logs: InTurn<LogId>,
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        let log_id = *self.logs.next();
        let payment = self.manager.reduce(log_id).await.expect("the log exists");
        let event = PaymentEvent::Captured(payment.aggregate().next_capture());
        self.manager
            .append(payment, &event, &AppendOptions::default())
            .await
            .expect("no other task uses this log");
        1
    }
}

struct ByHand {
    pool: PgPool,
    logs: InTurn<(Uuid, State)>,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let (id, state) = self.logs.next();
        // One connection for both statements saves a wait for the pool.
        let mut connection = self
            .pool
            .acquire()
            .await
            .expect("the server accepts the connection");
        state
            .catch_up(&mut *connection, *id)
            .await
            .expect("the server answers");
        let mut end = Log {
            id: *id,
            next: state.next,
        };
        writing_by_hand::append(&mut *connection, &mut end, &state.payment.next_capture())
            .await
            .expect("no other task uses this log");
        1
    }
}
