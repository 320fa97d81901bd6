//! Decisions over several logs: transfers between two accounts, and transfers that also look at a further log.
//!
//! The side by hand is a transaction: it locks the first event of each log in the order of the ids, reads the new events of all
//! logs, inserts the events of both accounts, and commits. It keeps the states of the logs between its calls, as the cache of
//! the library does, so that it reads only new events. A log that is only looked at is locked for share.

use crate::by_hand::{self, Log};
use crate::common::closed_loop::Writer;
use crate::common::contest::{Measured, Side, compare, side};
use crate::common::payments::{CAPTURED, Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::decides::{EVENTS, warm_up};
use eventlogs::ids::LogId;
use eventlogs::{DecideOptions, LogManager, across};
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Row as _};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

const MANY: &str = "transfers, 1,000 accounts, 64 tasks";
const HOT: &str = "transfers, 10 accounts, 64 tasks";
const FAIR: &str = "transfers, 10 accounts, 64 tasks: p99 / p50";
const OWN: &str = "transfers, and a log of its own looked at, 64 tasks";
const SHARED: &str = "transfers, and one log looked at by all, 64 tasks";
const CONFLICTS: &str = "transfers, and one log looked at by all: decided again";

const TASKS: usize = 64;
const ACCOUNTS: usize = 1_000;
const HOT_ACCOUNTS: usize = 10;

/// What a transfer looks at in addition to its two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookAt {
    Nothing,
    /// A log that no other transfer looks at.
    Own,
    /// The same log for all transfers.
    Shared,
}

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if report.arguments.wants(MANY) {
        let ([ours, by_hand], _) = contest(postgres, report, ACCOUNTS, LookAt::Nothing).await;
        report.row(&Row::rates(MANY, &ours, &by_hand, Some(3.0)));
    }
    if report.arguments.wants_any(&[HOT, FAIR]) {
        let ([ours, by_hand], _) = contest(postgres, report, HOT_ACCOUNTS, LookAt::Nothing).await;
        report.row(&Row::rates(HOT, &ours, &by_hand, Some(3.0)));
        report.row(&Row::spreads(FAIR, &ours, &by_hand, 20.0));
    }
    if report.arguments.wants(OWN) {
        let ([ours, by_hand], _) = contest(postgres, report, ACCOUNTS, LookAt::Own).await;
        report.row(&Row::rates(OWN, &ours, &by_hand, Some(1.5)));
    }
    if report.arguments.wants_any(&[SHARED, CONFLICTS]) {
        let ([ours, by_hand], again) = contest(postgres, report, ACCOUNTS, LookAt::Shared).await;
        report.row(&Row::rates(SHARED, &ours, &by_hand, Some(1.5)));
        report.row(&Row {
            name: CONFLICTS,
            ours: format!("{again:.4}"),
            goal: "< 0.0100".to_owned(),
            met: Some(again < 0.01),
            ..Row::default()
        });
    }
}

/// Compares both sides. Also returns how many times a transfer was decided again, per transfer.
async fn contest(
    postgres: &Postgres,
    report: &Report,
    accounts: usize,
    look_at: LookAt,
) -> ([Measured; 2], f64) {
    postgres.settle().await;
    let counts = Counts::default();
    let sides = [
        ours(postgres, &counts, accounts, look_at),
        by_hand(postgres, accounts, look_at),
    ];
    let measured = compare(report.arguments.throughput(), sides).await;
    let [asked, done] = [&counts.asked, &counts.done].map(|count| count.load(Ordering::Relaxed));
    (
        measured,
        f64::from(asked.saturating_sub(done)) / f64::from(done.max(1)),
    )
}

/// The transfers of all rounds.
#[derive(Debug, Default, Clone)]
struct Counts {
    /// How often the closure ran.
    asked: Arc<AtomicU32>,
    /// The number of transfers made.
    done: Arc<AtomicU32>,
}

/// The logs of a round.
struct Logs {
    accounts: Vec<Uuid>,
    /// One per task, or one for all.
    looked_at: Vec<Uuid>,
}

async fn logs(pool: &PgPool, accounts: usize, look_at: LookAt) -> Logs {
    let ids = async |count| {
        let logs = by_hand::logs_of(pool, count, EVENTS).await;
        logs.into_iter().map(|log| log.id).collect()
    };
    Logs {
        accounts: ids(accounts).await,
        looked_at: match look_at {
            LookAt::Nothing => Vec::new(),
            LookAt::Own => ids(TASKS).await,
            LookAt::Shared => ids(1).await,
        },
    }
}

/// Chooses pairs of accounts: any two, in any order.
struct Pairs {
    accounts: Arc<Vec<Uuid>>,
    looked_at: Option<Uuid>,
}

impl Pairs {
    fn of(logs: &Logs, task: usize, accounts: &Arc<Vec<Uuid>>) -> Self {
        let looked_at = logs.looked_at.get(task % logs.looked_at.len().max(1));
        Self {
            accounts: Arc::clone(accounts),
            looked_at: looked_at.copied(),
        }
    }

    fn next(&self) -> (Uuid, Uuid) {
        let count = self.accounts.len();
        let from = fastrand::usize(..count);
        let to = (from + fastrand::usize(1..count)) % count;
        (self.accounts[from], self.accounts[to])
    }
}

fn ours<'a>(
    postgres: &'a Postgres,
    counts: &'a Counts,
    accounts: usize,
    look_at: LookAt,
) -> Box<dyn Side + 'a> {
    side(async move || {
        let payments = postgres.payments();
        let logs = logs(&postgres.pool, accounts, look_at).await;
        let all: Vec<_> = logs
            .accounts
            .iter()
            .chain(&logs.looked_at)
            .copied()
            .collect();
        let all: Vec<_> = all.into_iter().map(LogId::from).collect();
        warm_up(&payments, &all).await;
        let accounts = Arc::new(logs.accounts.clone());
        let writer = |task| Ours {
            payments: payments.clone(),
            pairs: Pairs::of(&logs, task, &accounts),
            counts: counts.clone(),
        };
        (0..TASKS).map(writer).collect()
    })
}

fn by_hand(postgres: &Postgres, accounts: usize, look_at: LookAt) -> Box<dyn Side + '_> {
    let pool = &postgres.pool;
    side(async move || {
        let logs = logs(pool, accounts, look_at).await;
        let accounts = Arc::new(logs.accounts.clone());
        let writer = |task| ByHand {
            pool: pool.clone(),
            pairs: Pairs::of(&logs, task, &accounts),
            states: HashMap::new(),
        };
        (0..TASKS).map(writer).collect()
    })
}

struct Ours {
    payments: LogManager<Payment>,
    pairs: Pairs,
    counts: Counts,
}

impl Writer for Ours {
    async fn write(&mut self) -> u32 {
        let (from, to) = self.pairs.next();
        let (from, to) = ((&self.payments, from), (&self.payments, to));
        let asked = &self.counts.asked;
        let next = |payment: &Payment| [PaymentEvent::Captured(payment.next_capture())];
        let options = DecideOptions::NONE;
        let decided = match self.pairs.looked_at {
            None => across((from, to))
                .decide(options, |from, to| {
                    asked.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>((next(from), next(to)))
                })
                .await
                .map(|_| ()),
            Some(looked_at) => across((from, to, (&self.payments, looked_at)))
                .decide(options, |from, to, limit| {
                    asked.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(limit.captures, EVENTS as u64);
                    Ok::<_, Infallible>((next(from), next(to), None))
                })
                .await
                .map(|_| ()),
        };
        decided.expect("no other process writes to these logs");
        self.counts.done.fetch_add(1, Ordering::Relaxed);
        2
    }
}

struct ByHand {
    pool: PgPool,
    pairs: Pairs,
    /// The states of the logs that this task has seen, with the index of the next event.
    states: HashMap<Uuid, (i64, Payment)>,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        let (from, to) = self.pairs.next();
        loop {
            match self.transfer(from, to).await {
                Ok(()) => return 2,
                // A deadlock or a conflict: again.
                Err(sqlx::Error::Database(error))
                    if matches!(error.code().as_deref(), Some("40P01" | "40001" | "23505")) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl ByHand {
    async fn transfer(&mut self, from: Uuid, to: Uuid) -> Result<(), sqlx::Error> {
        const LOCK: &str = "
            select from events where log_id = any($1) and event_index = 0 order by log_id for update";
        const SHARE: &str = "
            select from events where log_id = $1 and event_index = 0 for share";
        let mut transaction = self.pool.begin().await?;
        sqlx::query(LOCK)
            .bind(vec![from, to])
            .execute(&mut *transaction)
            .await?;
        let mut logs = vec![from, to];
        if let Some(looked_at) = self.pairs.looked_at {
            sqlx::query(SHARE)
                .bind(looked_at)
                .execute(&mut *transaction)
                .await?;
            logs.push(looked_at);
        }
        self.read_on(&mut transaction, &logs).await?;
        let mut writes = Vec::new();
        for id in [from, to] {
            let (next, payment) = &self.states[&id];
            writes.push((Log { id, next: *next }, payment.next_capture()));
        }
        insert(&mut transaction, &writes).await?;
        transaction.commit().await
    }

    /// Reads the new events of all logs in one statement, and adds them up.
    async fn read_on(
        &mut self,
        connection: &mut PgConnection,
        logs: &[Uuid],
    ) -> Result<(), sqlx::Error> {
        const TAIL: &str = "
            select u.log_id, e.event_index, e.event_type, e.payload
            from unnest($1::uuid[], $2::bigint[]) u (log_id, next)
            cross join lateral (
                select event_index, event_type, payload from events
                where log_id = u.log_id and event_index >= u.next
                order by event_index) e";
        let next = |id| self.states.get(id).map_or(0, |(next, _)| *next);
        let rows = sqlx::query(TAIL)
            .bind(logs)
            .bind(logs.iter().map(next).collect::<Vec<i64>>())
            .fetch_all(connection)
            .await?;
        for row in rows {
            let (next, payment) = self.states.entry(row.get(0)).or_default();
            *next = row.get::<i64, _>(1) + 1;
            if row.get::<&str, _>(2) == CAPTURED {
                payment.capture(&Capture::from_json(row.get(3)));
            }
        }
        Ok(())
    }
}

/// Inserts one event into each log, in one statement.
async fn insert(
    connection: &mut PgConnection,
    writes: &[(Log, Capture)],
) -> Result<(), sqlx::Error> {
    const INSERT: &str = "
        insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch, kind)
        select u.log_id, u.event_index, u.event_id, $4, 1, 1, u.payload, now(), 1, -1281220239
        from unnest($1::uuid[], $2::bigint[], $3::uuid[], $5::bytea[])
             u (log_id, event_index, event_id, payload)";
    let writes = || writes.iter();
    sqlx::query(INSERT)
        .bind(writes().map(|(log, _)| log.id).collect::<Vec<_>>())
        .bind(writes().map(|(log, _)| log.next).collect::<Vec<_>>())
        .bind(writes().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind(CAPTURED)
        .bind(
            writes()
                .map(|(_, capture)| capture.to_json())
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await?;
    Ok(())
}
