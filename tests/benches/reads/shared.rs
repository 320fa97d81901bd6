//! Reductions from a cache in Redis, without one in the process.
//!
//! By hand, the state is fetched from Redis and the newest events from PostgreSQL at the same time. Only if that leaves a gap, a
//! second statement reads the rest.

use crate::by_hand::State;
use crate::common::closed_loop::Writer;
use crate::common::contest::{Side, compare, side};
use crate::common::payments::Payment;
use crate::common::postgres::Postgres;
use crate::common::report::{Report, Row};
use crate::logs::{InTurn, clear, dealt_out, payments, warm_up};
use crate::warm;
use eventlogs::ids::LogId;
use eventlogs::{LogManager, LogManagerOptions, RedisAggregationCache, RedisCacheOptions};
use redis::aio::MultiplexedConnection;
use sqlx::Row as _;
use sqlx::postgres::PgPool;
use std::time::Duration;
use uuid::Uuid;

const ROWS: [(&str, usize); 2] = [
    ("warm in Redis, 1 task", 1),
    ("warm in Redis, 16 tasks", 16),
];

const LOGS: usize = 1_000;
/// The number of events of a log.
const EVENTS: usize = 10;
/// How long entries stay in Redis after an interrupted run.
const TTL: Duration = Duration::from_mins(30);

/// Measures all rows of this file.
pub(crate) async fn measure(postgres: &Postgres, report: &mut Report) {
    if !report.arguments.wants_any(&ROWS.map(|(name, _)| name)) {
        return;
    }
    let url = std::env::var("EVENTLOGS_REDIS_URL").unwrap_or_default();
    if url.is_empty() {
        println!("left out: Redis: EVENTLOGS_REDIS_URL is not set; ./scripts/servers starts one");
        return;
    }
    clear(postgres).await;
    let logs = payments(postgres, LOGS, EVENTS).await;
    let manager = manager(postgres, &url).await;
    warm_up(&manager, &logs).await;
    let redis = states(postgres, &url, &logs).await;
    for (name, tasks) in ROWS {
        if report.arguments.wants(name) {
            let sides = [
                warm::ours(&manager, &logs, tasks),
                by_hand(&postgres.pool, &redis, &logs, tasks),
            ];
            let [ours, by_hand] = compare(report.arguments.close_race(), sides).await;
            report.row(&Row::rates(name, &ours, &by_hand, Some(0.9)));
        }
    }
}

async fn manager(postgres: &Postgres, url: &str) -> LogManager<Payment> {
    let options = RedisCacheOptions {
        namespace: "eventlogs_bench".to_owned(),
        default_ttl: Some(TTL),
        ..Default::default()
    };
    let cache = RedisAggregationCache::connect_with(url, options)
        .await
        .expect("Redis is available");
    LogManager::new(postgres.store.clone(), cache, LogManagerOptions::default())
}

/// Stores the states of all logs, by hand.
async fn states(postgres: &Postgres, url: &str, logs: &[LogId]) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("the URL is valid");
    let mut redis = client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis is available");
    for log in logs {
        let id = *log.as_uuid();
        let mut state = State::default();
        state
            .catch_up(&postgres.pool, id)
            .await
            .expect("the server answers");
        put(&mut redis, id, &state).await;
    }
    redis
}

fn by_hand<'a>(
    pool: &'a PgPool,
    redis: &'a MultiplexedConnection,
    logs: &'a [LogId],
    tasks: usize,
) -> Box<dyn Side + 'a> {
    side(async move || {
        let writer = |logs| ByHand {
            pool: pool.clone(),
            redis: redis.clone(),
            logs,
        };
        dealt_out(logs, tasks).into_iter().map(writer).collect()
    })
}

struct ByHand {
    pool: PgPool,
    redis: MultiplexedConnection,
    logs: InTurn<LogId>,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        const NEWEST: &str = "
            select event_index, payload from events
            where log_id = $1
            order by event_index desc
            limit 4";
        let id = *self.logs.next().as_uuid();
        let newest = sqlx::query(NEWEST).bind(id).fetch_all(&self.pool);
        let (state, newest) = tokio::join!(get(&mut self.redis, id), newest);
        let mut state = state.unwrap_or_default();
        let cached = state.next;
        let newest = newest.expect("the server answers");
        let oldest = newest.last().map_or(0, |row| row.get(0));
        if oldest > state.next {
            state
                .catch_up(&self.pool, id)
                .await
                .expect("the server answers");
        }
        for row in newest.iter().rev() {
            let index = row.get(0);
            if index >= state.next {
                state.add(index, row.get(1));
            }
        }
        assert_eq!(state.payment.captures, EVENTS as u64);
        if state.next > cached {
            put(&mut self.redis, id, &state).await;
        }
        1
    }
}

fn key(id: Uuid) -> String {
    format!("eventlogs_bench:by_hand:{id}")
}

async fn get(redis: &mut MultiplexedConnection, id: Uuid) -> Option<State> {
    let get = redis::cmd("GET").arg(key(id)).to_owned();
    let json: Option<Vec<u8>> = get.query_async(redis).await.expect("Redis answers");
    serde_json::from_slice(&json?).ok()
}

async fn put(redis: &mut MultiplexedConnection, id: Uuid, state: &State) {
    let json = serde_json::to_vec(state).expect("it has only numbers");
    let set = redis::cmd("SET")
        .arg(key(id))
        .arg(json)
        .arg("EX")
        .arg(TTL.as_secs())
        .to_owned();
    set.exec_async(redis).await.expect("Redis answers");
}
