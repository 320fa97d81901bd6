//! The life of a payment, on an embedded database: `cargo run --example payments [FILE]`; or, with
//! `EVENTLOGS_POSTGRES_URL` and `EVENTLOGS_REDIS_URL` set, on those servers.
//!
//! Read it from top to bottom: first the domain (what can happen, what it adds up to), then `main`, which records,
//! reduces, caches, races, retries and reads back, and prints what it does at each step.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, Aggregation, AppendOptions, CreateOptions, DecideError, DecideOptions, Event,
    EventRecord, EventStore, LogManager, LogManagerError, LogManagerOptions,
    MemoryAggregationCache, RedisAggregationCache, TieredAggregationCache, event_handler,
};
use serde::{Deserialize, Serialize};
use std::env;
use std::error::Error;
use uuid::Uuid;

/// The events of a payment. Names and payloads are stored, so you can rename the variants at any time.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = "json")]
pub enum PaymentEvent {
    /// A customer asked to pay.
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
        /// The bank's reference for its decision.
        approval_code: Option<String>,
    },
    /// We received the money, or a part of it.
    #[event(name = "payment.captured")]
    Captured {
        /// In cents.
        amount: u64,
    },
    /// Money went back to the customer. This event was once called a credit.
    #[event(name = "payment.refunded", alias = "payment.credited")]
    Refunded(Refund),
    /// The payment was cancelled.
    #[event(name = "payment.voided")]
    Voided,
}

/// Money that goes back to the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// In cents.
    pub amount: u64,
    /// For customer support.
    pub reason: String,
}

/// `payment.authorized` as version 1 stored it.
#[derive(Deserialize)]
struct AuthorizedV1 {
    /// In cents.
    amount: u64,
}

/// Upgrades an event that was stored years ago to one of today.
fn authorized_from_v1(AuthorizedV1 { amount }: AuthorizedV1) -> PaymentEvent {
    PaymentEvent::Authorized {
        amount,
        approval_code: None,
    }
}

/// The state of a payment. It is cached for one hour, if its log has at least three events and it is still open.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(event = PaymentEvent, cache(min_events = 3, ttl = "1h", when = is_open))]
pub struct Payment {
    authorized: u64,
    captured: u64,
    refunded: u64,
    refunds: Vec<u64>,
    voided: bool,
}

/// Returns `true` for a payment that is not voided. A voided one is rarely reduced again.
fn is_open(payment: &Aggregation<Payment>) -> bool {
    !payment.aggregate().voided
}

/// One method per event. A missing one is a compiler error, unless `ignore` names its event.
#[event_handler(PaymentEvent, ignore(Requested))]
impl Payment {
    #[on(Authorized)] // the parameters' names select the fields
    fn authorize(&mut self, amount: u64) {
        self.authorized += amount;
    }

    #[on(Captured { amount })] // or a pattern does, as in a match arm
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

    /// The amount that can still be refunded.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.captured - self.refunded
    }
}

/// The reason for the refusal of a refund.
#[derive(Debug, thiserror::Error)]
#[error("only {outstanding} of {wanted} cents can be refunded")]
struct TooMuch {
    /// The amount that was asked for.
    wanted: u64,
    /// The amount that is left.
    outstanding: u64,
}

/// The business rule, as a function from a state to an event.
fn refund(wanted: u64) -> impl FnMut(&Payment) -> Result<PaymentEvent, TooMuch> {
    move |payment| {
        let outstanding = payment.outstanding();
        if outstanding < wanted {
            return Err(TooMuch {
                wanted,
                outstanding,
            });
        }
        let reason = "the customer asked".to_owned();
        Ok(PaymentEvent::Refunded(Refund {
            amount: wanted,
            reason,
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The store is chosen at run time, by a URL.
    let server = env::var("EVENTLOGS_POSTGRES_URL").ok();
    let file = env::args()
        .nth(1)
        .unwrap_or_else(|| "payments.db".to_owned());
    let store = eventlogs::connect(&server.clone().unwrap_or(format!("sqlite:{file}"))).await?;
    store.migrate().await?;
    match &server {
        Some(_) => println!("The events are kept in PostgreSQL."),
        None => println!("The events are kept in `{file}`."),
    }
    tell_the_story(manager(store.clone()).await?).await?;
    store.close().await;
    println!("\nTo read them with SQL:");
    match &server {
        Some(_) => println!(
            "   psql \"$EVENTLOGS_POSTGRES_URL\" -c 'select * from eventlogs.readable_events'"
        ),
        None => println!("   sqlite3 {file} 'select * from readable_events'"),
    }
    Ok(())
}

/// Makes a manager. Its cache is in this process; with Redis, processes share a second cache.
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

/// Takes one payment through its life.
async fn tell_the_story(payments: LogManager<Payment>) -> Result<(), Box<dyn Error>> {
    let log_id = create_once(&payments).await?;
    append_and_reduce(&payments, &log_id).await?;
    lose_a_race(&payments, &log_id).await?;
    decide_refunds(&payments, &log_id).await?;
    read_back(&payments, &log_id).await?;
    payments.flush_cache().await;
    Ok(())
}

/// The network fails and the client retries. The idempotency key makes sure that there is only one payment.
async fn create_once(payments: &LogManager<Payment>) -> Result<LogId, Box<dyn Error>> {
    println!("\n1. Create a log, and retry with the same idempotency key");
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 10_000 };
    let options = CreateOptions::with_key(Uuid::now_v7());
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

/// Appends events to the end of the log, and reduces it. The second reduction starts from the cached aggregate.
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
    // The events of one call are stored together or not at all.
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
    // A background task writes to the cache. A service need not wait for it; this example does, to show the effect.
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

/// Two clerks act on the same state. One of them succeeds; the other reduces the log again.
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
        return Err("the second append to the same state must fail".into());
    };
    println!("   {lost}");
    let payment = payments.reduce(log_id).await?;
    println!(
        "   reduced again: {} cents can still be refunded, so the refund is appended",
        payment.aggregate().outstanding()
    );
    payments
        .append(payment, &event, &AppendOptions::default())
        .await?;
    Ok(())
}

/// `decide` does all of this: it reduces, decides, appends, and decides again if it lost a race.
async fn decide_refunds(
    payments: &LogManager<Payment>,
    log_id: &LogId,
) -> Result<(), Box<dyn Error>> {
    println!("\n4. Decide on the current state");
    let options = DecideOptions::with_key(Uuid::now_v7());
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

/// Reads the events as an API would return them, and the state at an earlier event.
async fn read_back(payments: &LogManager<Payment>, log_id: &LogId) -> Result<(), Box<dyn Error>> {
    println!("\n5. Read the events back, as JSON for an API");
    for record in payments.load(log_id, 4, 3).await? {
        println!("   {}", serde_json::to_string(&record)?);
    }
    let payment = payments.reduce(log_id).await?;
    println!(
        "   the refunds are events {:?}",
        payment.aggregate().refunds
    );
    let before = payments
        .reduce_at(log_id, eventlogs::PointInTime::Index(4))
        .await?;
    println!(
        "   before the first refund, {} cents could be refunded",
        before.aggregate().outstanding()
    );
    Ok(())
}
