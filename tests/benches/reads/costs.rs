//! The processor time of reductions and of decisions, of this process and of the server.

use crate::by_hand::Decode;
use crate::cold;
use crate::common::arguments::Plan;
use crate::common::closed_loop::{self, Writer};
use crate::common::payments::{Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::process;
use crate::common::report::{Report, Row};
use crate::logs::{InTurn, clear, dealt_out, payments, uncached, warm_up};
use eventlogs::ids::LogId;
use eventlogs::{DecideOptions, LogManager};
use std::convert::Infallible;
use std::time::Duration;

const REDUCE_CLIENT: &str = "CPU per event of a cold reduction: client";
const REDUCE_SERVER: &str = "CPU per event of a cold reduction: server";
const DECIDE_CLIENT: &str = "CPU per decision, 1,000 logs, 250 tasks: client";
const DECIDE_SERVER: &str = "CPU per decision, 1,000 logs, 250 tasks: server";

/// The number of events of a log that is reduced.
const EVENTS: usize = 10_000;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    let server = postgres.main_process().await;
    if (report.arguments).wants_any(&[REDUCE_CLIENT, REDUCE_SERVER]) {
        let [ours, by_hand] = reductions(postgres, report.arguments.throughput(), server).await;
        let by_hand = Some(by_hand);
        report.row(&ours.row(REDUCE_CLIENT, Cost::client, by_hand, 0.65));
        report.row(&ours.row(REDUCE_SERVER, Cost::server, by_hand, 0.4));
    }
    if (report.arguments).wants_any(&[DECIDE_CLIENT, DECIDE_SERVER]) {
        let ours = decisions(postgres, report.arguments.throughput(), server).await;
        report.row(&ours.row(DECIDE_CLIENT, Cost::client, None, 5.0));
        report.row(&ours.row(DECIDE_SERVER, Cost::server, None, 9.0));
    }
}

/// The processor time of all rounds.
#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    /// The number of events or decisions.
    units: f64,
    /// The time of this process.
    client: Option<Duration>,
    /// The time of the server.
    server: Option<Duration>,
}

impl Cost {
    fn client(self) -> Option<f64> {
        Some(self.client?.as_secs_f64() * 1e6 / self.units)
    }

    fn server(self) -> Option<f64> {
        Some(self.server?.as_secs_f64() * 1e6 / self.units)
    }

    /// Lets the writers of a round work, and adds what that cost. Each call of a writer counts as this many units.
    async fn add<W: Writer>(
        &mut self,
        writers: Vec<W>,
        span: Duration,
        units: usize,
        server: Option<u32>,
    ) {
        let before = server.and_then(process::family_time);
        let round = closed_loop::run(writers, span).await;
        let after = server.and_then(process::family_time);
        let spent = after.zip(before);
        let spent = spent.map(|(after, before)| after.saturating_sub(before));
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        self.units += f64::from(round.events) * f64::from(units);
        self.client = round.cpu.map(|cpu| self.client.unwrap_or_default() + cpu);
        self.server = spent.map(|cpu| self.server.unwrap_or_default() + cpu);
    }

    fn row(
        self,
        name: &'static str,
        per_unit: fn(Self) -> Option<f64>,
        by_hand: Option<Self>,
        goal: f64,
    ) -> Row {
        let ours = per_unit(self);
        let by_hand = by_hand.map(per_unit);
        let text = |cost: Option<f64>| cost.map_or("?".to_owned(), |cost| format!("{cost:.2} µs"));
        let ratio = ours.zip(by_hand.flatten());
        Row {
            name,
            ours: text(ours),
            by_hand: by_hand.map_or_else(String::new, text),
            ratio: ratio.map_or_else(String::new, |(ours, by_hand)| {
                format!("{:.2}", ours / by_hand)
            }),
            goal: format!("<= {goal:.2}"),
            met: ours.map(|ours| ours <= goal),
            ..Row::default()
        }
    }
}

/// Returns the cost per event, of the library and by hand.
async fn reductions(postgres: &Postgres, plan: Plan, server: Option<u32>) -> [Cost; 2] {
    const DECODE: Decode = Capture::from_json;
    clear(postgres).await;
    let logs = payments(postgres, 16, EVENTS).await;
    let manager = uncached::<Payment>(postgres);
    let alone = || dealt_out(&logs, 1).into_iter();
    let ours = || {
        let task = |logs| cold::Ours::new(&manager, logs, EVENTS);
        alone().map(task).collect()
    };
    let by_hand = || {
        let task = |logs| cold::ByHand::new(&postgres.pool, logs, EVENTS, DECODE);
        alone().map(task).collect()
    };
    closed_loop::run(ours(), plan.warm_up).await;
    closed_loop::run(by_hand(), plan.warm_up).await;
    let mut costs = [Cost::default(); 2];
    for _ in 0..plan.rounds {
        costs[0].add(ours(), plan.span, EVENTS, server).await;
        costs[1].add(by_hand(), plan.span, EVENTS, server).await;
    }
    costs
}

/// Returns the cost per decision.
async fn decisions(postgres: &Postgres, plan: Plan, server: Option<u32>) -> Cost {
    clear(postgres).await;
    let logs = payments(postgres, 1_000, 10).await;
    let manager = postgres.payments();
    warm_up(&manager, &logs).await;
    let deciders = || {
        let decider = |logs| Decider {
            manager: manager.clone(),
            logs,
        };
        dealt_out(&logs, 250).into_iter().map(decider).collect()
    };
    closed_loop::run(deciders(), plan.warm_up).await;
    let mut cost = Cost::default();
    for _ in 0..plan.rounds {
        cost.add(deciders(), plan.span, 1, server).await;
    }
    cost
}

struct Decider {
    manager: LogManager<Payment>,
    logs: InTurn<LogId>,
}

impl Writer for Decider {
    async fn write(&mut self) -> u32 {
        let log_id = *self.logs.next();
        self.manager
            .decide(&log_id, &DecideOptions::default(), |payment| {
                Ok::<_, Infallible>([PaymentEvent::Captured(payment.next_capture())])
            })
            .await
            .expect("no other task uses this log");
        1
    }
}
