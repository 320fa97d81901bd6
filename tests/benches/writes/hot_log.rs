//! Decisions of many tasks on one log, where each decision makes the state of the other tasks stale.

use crate::by_hand::{self, Log};
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::{Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::decides::{self, EVENTS};
use eventlogs::ids::LogId;
use eventlogs::{DecideError, DecideOptions, LogManager, LogManagerError};
use sqlx::postgres::PgPool;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const RATE: &str = "decide, one hot log, 16 tasks";
const ATTEMPTS: &str = "decide, one hot log, 16 tasks: attempts per success";

const TASKS: usize = 16;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants_any(&[RATE, ATTEMPTS]) {
        return;
    }
    postgres.settle().await;
    let (tries, tries_by_hand) = (Tries::default(), Tries::default());
    let sides = [ours(postgres, &tries), by_hand(postgres, &tries_by_hand)];
    let [ours, by_hand] = compare(report.arguments.throughput(), sides).await;
    report.row(&Row::rates(RATE, &ours, &by_hand, Some(50.0)));
    let attempts = tries.per_success();
    report.row(&Row {
        name: ATTEMPTS,
        ours: format!("{attempts:.2}"),
        by_hand: format!("{:.2}", tries_by_hand.per_success()),
        goal: "< 1.20".to_owned(),
        met: Some(attempts < 1.2),
        ..Row::default()
    });
}

/// The attempts and successes of all rounds.
#[derive(Debug, Default)]
struct Tries {
    /// The number of decisions made.
    attempts: Arc<AtomicU32>,
    /// The number of decisions stored.
    successes: Arc<AtomicU32>,
}

impl Tries {
    fn per_success(&self) -> f64 {
        let [attempts, successes] =
            [&self.attempts, &self.successes].map(|count| f64::from(count.load(Ordering::Relaxed)));
        attempts / successes
    }

    fn share(&self) -> Self {
        Self {
            attempts: Arc::clone(&self.attempts),
            successes: Arc::clone(&self.successes),
        }
    }
}

fn count(counter: &AtomicU32) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn ours<'a>(postgres: &'a Postgres, tries: &'a Tries) -> Box<dyn Side + 'a> {
    side(async move || {
        let payments = postgres.payments();
        let logs = by_hand::logs_of(&postgres.pool, 1, EVENTS).await;
        let log_id = LogId::from(logs[0].id);
        decides::warm_up(&payments, &[log_id]).await;
        let writer = |_| Ours {
            payments: payments.clone(),
            log_id,
            tries: tries.share(),
        };
        (0..TASKS).map(writer).collect()
    })
}

fn by_hand<'a>(postgres: &'a Postgres, tries: &'a Tries) -> Box<dyn Side + 'a> {
    side(async move || {
        let logs = by_hand::logs_of(&postgres.pool, 1, EVENTS).await;
        let id = logs[0].id;
        let writer = |_| ByHand {
            pool: postgres.pool.clone(),
            log: Log { id, next: 0 },
            payment: Payment::default(),
            tries: tries.share(),
        };
        (0..TASKS).map(writer).collect()
    })
}

struct Ours {
    payments: LogManager<Payment>,
    log_id: LogId,
    tries: Tries,
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        let decided = self
            .payments
            .decide(&self.log_id, &DecideOptions::default(), |payment| {
                count(&self.tries.attempts);
                Ok::<_, Infallible>([PaymentEvent::Captured(payment.next_capture())])
            })
            .await;
        match decided {
            Ok(_) => {
                count(&self.tries.successes);
                1
            }
            // Other writers were faster until the attempts ran out: a call without success.
            Err(DecideError::Log(LogManagerError::ConcurrentAppend { .. })) => 0,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Keeps the state itself, and reads only the new events.
struct ByHand {
    pool: PgPool,
    log: Log,
    payment: Payment,
    tries: Tries,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let mut connection = self
            .pool
            .acquire()
            .await
            .expect("the server accepts the connection");
        loop {
            decides::read_on(&mut connection, &mut self.log, &mut self.payment).await;
            count(&self.tries.attempts);
            let capture = self.payment.next_capture();
            if by_hand::append_if_free(&mut *connection, self.log, &capture)
                .await
                .expect("the server answers")
            {
                count(&self.tries.successes);
                self.payment.capture(&capture);
                self.log.next += 1;
                return 1;
            }
        }
    }
}
