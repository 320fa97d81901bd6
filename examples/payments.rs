//! The life of a payment, on an embedded database: `cargo run --example payments [FILE]`; or, with
//! `EVENTLOGS_POSTGRES_URL` and `EVENTLOGS_REDIS_URL` set, on those servers.
//!
//! Read it from top to bottom: first the domain (what can happen, what it adds up to), then `main`, which records,
//! reduces, caches, races, retries and reads back, and says at each step what it did.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, Aggregation, AppendOptions, CreateOptions, DecideError, DecideOptions, Event,
    EventRecord, EventStore, LogManager, LogManagerError, LogManagerOptions,
    MemoryAggregationCache, PostgresEventStore, RedisAggregationCache, SqliteEventStore,
    TieredAggregationCache, event_handler,
};
use serde::{Deserialize, Serialize};
use std::env;
use std::error::Error;
use uuid::Uuid;

/// What can happen to a payment. Names and payloads are stored; variants may be renamed at will.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = "json")]
pub enum PaymentEvent {
    /// A customer wants to pay.
    #[event(name = "payment.requested")]
    Requested {
        /// In cents.
        amount: u64,
    },
    /// The bank holds the money for us. The first version of this event had no approval code.
    #[event(name = "payment.authorized", version = 2, upcast(1 = authorized_from_v1))]
    Authorized {
        /// In cents.
        amount: u64,
        /// What the bank calls its decision.
        approval_code: Option<String>,
    },
    /// The money is ours; possibly in several parts.
    #[event(name = "payment.captured")]
    Captured {
        /// In cents.
        amount: u64,
    },
    /// Money went back; also called a credit, once.
    #[event(name = "payment.refunded", alias = "payment.credited")]
    Refunded(Refund),
    /// Nothing more will come of it.
    #[event(name = "payment.voided")]
    Voided,
}

/// Money that goes back to the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// In cents.
    pub amount: u64,
    /// For the people in support.
    pub reason: String,
}

/// `payment.authorized` as version 1 stored it.
#[derive(Deserialize)]
struct AuthorizedV1 {
    /// In cents.
    amount: u64,
}

/// Events that were stored years ago are read as events of today.
fn authorized_from_v1(AuthorizedV1 { amount }: AuthorizedV1) -> PaymentEvent {
    PaymentEvent::Authorized {
        amount,
        approval_code: None,
    }
}

/// What the events of a payment add up to. It is cached once its log has three events, for an hour.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(event = PaymentEvent, cache(min_events = 3, ttl = "1h", when = is_open))]
pub struct Payment {
    authorized: u64,
    captured: u64,
    refunded: u64,
    refunds: Vec<u64>,
    voided: bool,
}

/// A payment that is over will hardly be reduced again.
fn is_open(payment: &Aggregation<Payment>) -> bool {
    !payment.aggregate().voided
}

/// One method an event. Leaving one out is a compiler error, unless it is ignored by name.
#[event_handler(PaymentEvent, ignore(Requested))]
impl Payment {
    #[on(Authorized)] // fields are taken by the parameters' names
    fn authorize(&mut self, amount: u64) {
        self.authorized += amount;
    }

    #[on(Captured { amount })] // or by a pattern, as in a match arm
    fn capture(&mut self, amount: u64) {
        self.captured += amount;
    }

    #[on(Refunded(refund))]
    fn refund(&mut self, refund: &Refund, #[record] record: &impl EventRecord<PaymentEvent>) {
        self.refunded += refund.amount;
        self.refunds.push(record.index());
    }

    #[on(Voided)]
    fn void(&mut self) {
        self.voided = true;
    }

    /// What can still be refunded.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.captured - self.refunded
    }
}

/// Why a refund is refused.
#[derive(Debug, thiserror::Error)]
#[error("only {outstanding} of {wanted} cents can be refunded")]
struct TooMuch {
    /// What was asked for.
    wanted: u64,
    /// What there is.
    outstanding: u64,
}

/// The rule of the house, as a function from a state to events.
fn refund(wanted: u64) -> impl FnMut(&Payment) -> Result<[PaymentEvent; 1], TooMuch> {
    move |payment| {
        let outstanding = payment.outstanding();
        if outstanding < wanted {
            return Err(TooMuch {
                wanted,
                outstanding,
            });
        }
        let reason = "the customer asked".to_owned();
        Ok([PaymentEvent::Refunded(Refund {
            amount: wanted,
            reason,
        })])
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The store is chosen at run time; nothing below can tell which it is.
    if let Ok(url) = env::var("EVENTLOGS_POSTGRES_URL") {
        let store = PostgresEventStore::connect(&url).await?;
        store.migrate().await?;
        println!("The events are kept in PostgreSQL.");
        tell_the_story(manager(store.clone()).await?).await?;
        store.close().await;
        println!("\nThe same with SQL:");
        println!(
            "   psql \"$EVENTLOGS_POSTGRES_URL\" -c 'select * from eventlogs.readable_events'"
        );
    } else {
        let file = env::args_os().nth(1).unwrap_or("payments.db".into());
        let store = SqliteEventStore::open(&file).await?;
        println!("The events are kept in `{}`.", file.display());
        tell_the_story(manager(store.clone()).await?).await?;
        store.close().await;
        println!("\nThe same with SQL, if you have its shell:");
        println!(
            "   sqlite3 {} 'select * from readable_events'",
            file.display()
        );
    }
    Ok(())
}

/// Puts store and cache together. The cache is in this process; with Redis, processes share one behind it.
async fn manager(
    store: impl EventStore<PaymentEvent>,
) -> Result<LogManager<Payment>, Box<dyn Error>> {
    let near = MemoryAggregationCache::default();
    let options = LogManagerOptions::default();
    Ok(match env::var("EVENTLOGS_REDIS_URL") {
        Ok(url) => {
            let far = RedisAggregationCache::connect(&url).await?;
            LogManager::new(store, TieredAggregationCache::new(near, far), options)
        }
        Err(_) => LogManager::new(store, near, options),
    })
}

/// The life of one payment.
async fn tell_the_story(payments: LogManager<Payment>) -> Result<(), Box<dyn Error>> {
    let log_id = create_once(&payments).await?;
    append_and_reduce(&payments, &log_id).await?;
    lose_a_race(&payments, &log_id).await?;
    decide_refunds(&payments, &log_id).await?;
    read_back(&payments, &log_id).await?;
    payments.flush_cache().await;
    Ok(())
}

/// A network fails, a client retries: the idempotency key makes one payment of it.
async fn create_once(payments: &LogManager<Payment>) -> Result<LogId, Box<dyn Error>> {
    println!("\n1. Create a log, and retry it with the same idempotency key");
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 10_000 };
    let options = CreateOptions {
        idempotency_key: Some(Uuid::now_v7().to_string()),
        ..Default::default()
    };
    let state = payments.create(&log_id, &requested, &options).await?;
    println!("   created log {log_id}, event {}", state.index());

    // The client does not know the first log's id; it only kept the key.
    match payments.create(&LogId::new(), &requested, &options).await {
        Err(LogManagerError::IdempotentReplay {
            log_id,
            event_index,
            ..
        }) => {
            println!("   the retry is a replay of event {event_index} of log {log_id}");
        }
        other => return Err(format!("expected a replay, got {other:?}").into()),
    }
    Ok(log_id)
}

/// Events go to the end of a log; reducing it adds them up, from where the cache got to.
async fn append_and_reduce(
    payments: &LogManager<Payment>,
    log_id: &LogId,
) -> Result<(), Box<dyn Error>> {
    println!("\n2. Append, and reduce with a cached aggregate");
    let payment = payments.reduce(log_id).await?;
    let authorized = PaymentEvent::Authorized {
        amount: 10_000,
        approval_code: Some("A-17".to_owned()),
    };
    let state = payments
        .append(payment, &authorized, &AppendOptions::default())
        .await?;
    // Several events at once are stored all together, or not at all.
    let parts = [
        PaymentEvent::Captured { amount: 6_000 },
        PaymentEvent::Captured { amount: 3_000 },
    ];
    payments
        .append_all(state, &parts, &AppendOptions::default())
        .await?;

    let payment = payments.reduce(log_id).await?;
    println!(
        "   captured {} cents; applied {} events",
        payment.aggregate().captured,
        payment.applied_events()
    );
    // A background task writes to the cache. Nobody needs to wait for it; we do, to show what it is good for.
    payments.flush_cache().await;
    let last = PaymentEvent::Captured { amount: 1_000 };
    payments
        .append(payment, &last, &AppendOptions::default())
        .await?;
    let payment = payments.reduce(log_id).await?;
    println!(
        "   captured {} cents; applied {} event to the cached aggregate",
        payment.aggregate().captured,
        payment.applied_events()
    );
    Ok(())
}

/// Two clerks act on the same state. One of them wins; the other looks again.
async fn lose_a_race(payments: &LogManager<Payment>, log_id: &LogId) -> Result<(), Box<dyn Error>> {
    println!("\n3. Lose a race, and try again");
    let (ours, theirs) = tokio::try_join!(payments.reduce(log_id), payments.reduce(log_id))?;
    let refund = |amount, reason: &str| {
        let reason = reason.to_owned();
        PaymentEvent::Refunded(Refund { amount, reason })
    };
    payments
        .append(theirs, &refund(1_500, "broken"), &AppendOptions::default())
        .await?;
    let event = refund(500, "late");
    let Err(lost @ LogManagerError::ConcurrentAppend { .. }) = payments
        .append(ours, &event, &AppendOptions::default())
        .await
    else {
        return Err("the second append on one state must lose".into());
    };
    println!("   {lost}");
    let payment = payments.reduce(log_id).await?;
    println!(
        "   reduced again: {} cents can be refunded, so we do",
        payment.aggregate().outstanding()
    );
    payments
        .append(payment, &event, &AppendOptions::default())
        .await?;
    Ok(())
}

/// The same without the care: `decide` reduces, asks, appends, and asks again if it lost.
async fn decide_refunds(
    payments: &LogManager<Payment>,
    log_id: &LogId,
) -> Result<(), Box<dyn Error>> {
    println!("\n4. Decide on the current state");
    let options = DecideOptions {
        idempotency_key: Some(Uuid::now_v7().to_string()),
        ..Default::default()
    };
    let decided = payments.decide(log_id, &options, refund(8_000)).await?;
    let payment = decided.aggregation().aggregate();
    println!("   refunded 8000 cents; {} are left", payment.outstanding());

    let again = payments.decide(log_id, &options, refund(8_000)).await?;
    if let Some(replay) = again.replay() {
        println!(
            "   the retry is a replay of event {}, not a second refund",
            replay.first_index
        );
    }

    match payments
        .decide(log_id, &DecideOptions::default(), refund(1))
        .await
    {
        Err(DecideError::Refused(refusal)) => println!("   one cent more is refused: {refusal}"),
        other => return Err(format!("expected a refusal, got {other:?}").into()),
    }
    Ok(())
}

/// The history is all there: what an API would return, and what the state was before.
async fn read_back(payments: &LogManager<Payment>, log_id: &LogId) -> Result<(), Box<dyn Error>> {
    println!("\n5. Read the events back, as JSON for an API");
    for record in payments.load(log_id, 4, 3).await? {
        println!("   {}", serde_json::to_string(&record)?);
    }
    let payment = payments.reduce(log_id).await?;
    println!(
        "   refunds are the events {:?}",
        payment.aggregate().refunds
    );
    let before = payments
        .reduce_at(log_id, eventlogs::PointInTime::Index(4))
        .await?;
    println!(
        "   before the first of them, {} cents could be refunded",
        before.aggregate().outstanding()
    );
    Ok(())
}
