//! Appends with an idempotency key: a new one each time, and the same ones again, as after a lost result.

use crate::appends::Ours;
use crate::by_hand::{self, Log, UNIQUE_VIOLATION};
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::{Capture, Payment, PaymentEvent};
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use eventlogs::{AppendOptions, LogManager, LogManagerError, LogState};
use futures_util::future::join_all;
use sqlx::postgres::PgPool;
use uuid::Uuid;

const FRESH: &str = "append with a fresh key, 64 writers";
const REPLAYED_TRYING: &str = "append with a replayed key, 64 writers / by hand trying";
const REPLAYED_ASKING: &str = "append with a replayed key, 64 writers / by hand asking";

const WRITERS: usize = 64;
/// The number of past writes that each writer repeats, over and over.
const REPEATED: usize = 16;

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if report.arguments.wants(FRESH) {
        postgres.settle().await;
        let sides = [fresh(postgres), fresh_by_hand(postgres)];
        let [ours, by_hand] = compare(report.arguments.throughput(), sides).await;
        report.row(&Row::rates(FRESH, &ours, &by_hand, Some(3.5)));
    }
    if (report.arguments).wants_any(&[REPLAYED_TRYING, REPLAYED_ASKING]) {
        postgres.settle().await;
        let sides = [
            replayed(postgres),
            replayed_by_hand(postgres, false),
            replayed_by_hand(postgres, true),
        ];
        let [ours, trying, asking] = compare(report.arguments.throughput(), sides).await;
        // The goal compares with the write that a replay retries. Looking for the key first is a read without a commit, and
        // makes every write with a new key one round trip slower.
        report.row(&Row::rates(REPLAYED_TRYING, &ours, &trying, Some(4.0)));
        report.row(&Row::rates(REPLAYED_ASKING, &ours, &asking, None));
    }
}

fn new_key() -> String {
    Uuid::now_v7().to_string()
}

fn fresh(postgres: &Postgres) -> Box<dyn Side + '_> {
    let payments = postgres.payments();
    side(async move || {
        let writers = (0..WRITERS).map(|_| Ours::new(payments.clone()));
        join_all(writers).await.into_iter().map(Fresh).collect()
    })
}

fn fresh_by_hand(postgres: &Postgres) -> Box<dyn Side + '_> {
    let pool = &postgres.pool;
    side(async move || {
        let logs = by_hand::logs_of(pool, WRITERS, 1).await;
        let writer = |log| FreshByHand {
            pool: pool.clone(),
            log,
        };
        logs.into_iter().map(writer).collect()
    })
}

fn replayed(postgres: &Postgres) -> Box<dyn Side + '_> {
    let payments = postgres.payments();
    side(async move || join_all((0..WRITERS).map(|_| Replayed::new(payments.clone()))).await)
}

fn replayed_by_hand(postgres: &Postgres, asking: bool) -> Box<dyn Side + '_> {
    let pool = &postgres.pool;
    side(async move || {
        let logs = by_hand::logs_of(pool, WRITERS, 1).await;
        let writers = logs
            .into_iter()
            .map(|log| ReplayedByHand::new(pool.clone(), log, asking));
        join_all(writers).await
    })
}

struct Fresh(Ours);

impl Writer for Fresh {
    async fn write(&mut self) -> u32 {
        self.0.append_with_key(new_key()).await;
        1
    }
}

struct FreshByHand {
    pool: PgPool,
    log: Log,
}

impl Writer for FreshByHand {
    async fn write(&mut self) -> u32 {
        let capture = Capture::of(self.log.next.unsigned_abs());
        by_hand::append_with_key(&self.pool, &mut self.log, &new_key(), &capture)
            .await
            .expect("no other writer uses this log, and the key is new");
        1
    }
}

/// Repeats past writes in turns.
struct Replayed {
    payments: LogManager<Payment>,
    /// The state and the key of each write.
    writes: Vec<(LogState<PaymentEvent>, String)>,
    turn: usize,
}

impl Replayed {
    async fn new(payments: LogManager<Payment>) -> Self {
        let mut ours = Ours::new(payments.clone()).await;
        let mut writes = Vec::new();
        for _ in 0..REPEATED {
            let key = new_key();
            writes.push((ours.state(), key.clone()));
            ours.append_with_key(key).await;
        }
        Self {
            payments,
            writes,
            turn: 0,
        }
    }
}

impl Writer for Replayed {
    async fn write(&mut self) -> u32 {
        let (state, key) = &self.writes[self.turn % REPEATED];
        self.turn += 1;
        let event = PaymentEvent::Captured(Capture::of(state.index()));
        let options = AppendOptions {
            idempotency_key: Some(key.clone()),
            ..Default::default()
        };
        let replay = self.payments.append(*state, &event, &options).await;
        match replay {
            Err(LogManagerError::IdempotentReplay { event_index, .. }) => {
                assert_eq!(event_index, state.index() + 1, "the write with this key");
            }
            other => panic!("a used key returned {other:?}"),
        }
        1
    }
}

/// Repeats past writes by hand.
struct ReplayedByHand {
    pool: PgPool,
    /// The log and the key of each write.
    writes: Vec<(Log, String)>,
    turn: usize,
    /// `true` if the key is looked up before it is used, which costs a new key one more round trip; `false` if it is looked up
    /// after the refusal.
    asking: bool,
}

impl ReplayedByHand {
    async fn new(pool: PgPool, mut log: Log, asking: bool) -> Self {
        let mut writes = Vec::new();
        for _ in 0..REPEATED {
            let key = new_key();
            writes.push((log, key.clone()));
            by_hand::append_with_key(&pool, &mut log, &key, &Capture::of(1))
                .await
                .expect("no other writer uses this log, and the key is new");
        }
        Self {
            pool,
            writes,
            turn: 0,
            asking,
        }
    }
}

impl Writer for ReplayedByHand {
    async fn write(&mut self) -> u32 {
        let (mut log, key) = self.writes[self.turn % REPEATED].clone();
        self.turn += 1;
        if !self.asking {
            let capture = Capture::of(log.next.unsigned_abs());
            let refused = by_hand::append_with_key(&self.pool, &mut log, &key, &capture).await;
            let error = refused.expect_err("the key was used");
            let error = error.as_database_error().expect("the server answers");
            assert_eq!(error.code().as_deref(), Some(UNIQUE_VIOLATION));
            assert_eq!(error.constraint(), Some("idempotency_keys_pkey"));
        }
        let index = by_hand::find_key(&self.pool, &key).await;
        let index = index.expect("the server answers");
        assert_eq!(index, Some(log.next), "the write with this key");
        1
    }
}
