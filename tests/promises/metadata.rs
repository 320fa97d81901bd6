//! Metadata of events, from its source to its readers.

use crate::payments::{Payment, PaymentEvent, on_every_store, refund};
use crate::postgres::TestStore;
use crate::processes::{is_alone, run_alone};
use crate::sqlite_file::TemporaryStore;
use crate::telemetry::Log;
use eventlogs::ids::LogId;
use eventlogs::stores::InvalidAppend;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, DecideOptions, EventRecord, EventStore, LogManager,
    LogManagerError, LogManagerOptions, MemoryAggregationCache, Metadata, MetadataSource,
    SpanMetadata, TaskMetadata, event_handler,
};
use futures_util::TryStreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info_span};
use tracing_subscriber::layer::SubscriberExt;

fn with_source(
    store: impl EventStore<PaymentEvent>,
    source: impl MetadataSource + 'static,
) -> LogManager<Payment> {
    let options = LogManagerOptions {
        metadata: Some(Arc::new(source)),
        ..Default::default()
    };
    LogManager::new(store, MemoryAggregationCache::default(), options)
}

/// Runs each kind of write with metadata, and returns the metadata that is then stored in the log.
async fn write_in_every_way(payments: &LogManager<Payment>, said: &Metadata) -> Vec<Metadata> {
    let log_id = LogId::new();
    let create = CreateOptions {
        metadata: said.clone(),
        ..Default::default()
    };
    let append = AppendOptions {
        metadata: said.clone(),
        ..Default::default()
    };
    let decide = DecideOptions {
        metadata: said.clone(),
        ..Default::default()
    };
    let requested = PaymentEvent::Requested { amount: 1 };
    let state = payments.create(&log_id, &requested, &create).await.unwrap();
    let state = payments.append(state, &refund(0), &append).await.unwrap();
    let two = [refund(0), refund(0)];
    let state = payments.append_all(state, &two, &append).await.unwrap();
    let parts = [(state, [refund(0)])];
    payments.append_across(parts, &append).await.unwrap();
    payments
        .decide(&log_id, &decide, |_| Ok::<_, ()>([refund(0), refund(0)]))
        .await
        .unwrap();
    let loaded = payments.load(&log_id, 0, 100).await.unwrap();
    let streamed: Vec<_> = payments.stream(log_id, 0).try_collect().await.unwrap();
    assert_eq!(loaded, streamed);
    loaded
        .iter()
        .map(|record| record.metadata().clone())
        .collect()
}

async fn each_write_has_what_the_source_knows(store: impl EventStore<PaymentEvent>) {
    let asked = Arc::new(AtomicI64::new(0));
    let counting = Arc::clone(&asked);
    let source = move || {
        Metadata::new()
            .with_correlation_id("of the service")
            .with("service", "payments")
            .with("user", "nobody")
            .with("write", counting.fetch_add(1, Ordering::SeqCst))
    };
    let payments = with_source(store, source);
    let said = Metadata::new()
        .with_causation_id("of the caller")
        .with_correlation_id("request 17")
        .with("user", "ada");
    let stored = write_in_every_way(&payments, &said).await;
    // Once per write, whatever the number of its events.
    let writes = [0, 1, 2, 2, 3, 4, 4];
    let expected = writes.map(|write| {
        said.clone()
            .with("service", "payments")
            .with("write", write)
    });
    assert_eq!(stored, expected);
    assert_eq!(asked.load(Ordering::SeqCst), 5, "once per write");
}

#[tokio::test]
async fn the_source_completes_what_the_caller_says_on_the_fake() {
    each_write_has_what_the_source_knows(FakeEventStore::new()).await;
}

#[tokio::test]
async fn the_source_completes_what_the_caller_says_on_sqlite() {
    each_write_has_what_the_source_knows(TemporaryStore::open().await).await;
}

#[tokio::test]
async fn the_source_completes_what_the_caller_says_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    each_write_has_what_the_source_knows(store.store.clone()).await;
}

#[tokio::test]
async fn without_a_source_there_is_what_the_caller_says() {
    for (store, payments) in on_every_store().await {
        for said in [Metadata::new(), Metadata::new().with("user", "ada")] {
            let stored = write_in_every_way(&payments, &said).await;
            assert_eq!(stored, vec![said; 7], "{store}");
        }
    }
}

#[tokio::test]
async fn the_ids_of_the_span_stand_beside_each_event() {
    let subscriber = tracing_subscriber::registry().with(SpanMetadata::new());
    let _guard = tracing::subscriber::set_default(subscriber);
    let payments = with_source(FakeEventStore::new(), SpanMetadata::new());
    let request = info_span!(
        "request",
        correlation_id = "request 17",
        causation_id = 4711
    );
    let said = Metadata::new().with_causation_id("of the caller");
    let stored = async {
        // Within other spans, and next to the manager's own spans.
        write_in_every_way(&payments, &Metadata::new())
            .instrument(info_span!("handler"))
            .await
    };
    let stored = stored.instrument(request.clone()).await;
    let expected = Metadata::new()
        .with_correlation_id("request 17")
        .with_causation_id("4711");
    assert_eq!(stored, vec![expected.clone(); 7]);
    let stored = write_in_every_way(&payments, &said).instrument(request);
    let expected = expected.with_causation_id("of the caller");
    assert_eq!(stored.await, vec![expected; 7]);
    let outside = write_in_every_way(&payments, &Metadata::new()).await;
    assert_eq!(outside, vec![Metadata::new(); 7]);
}

async fn the_task_says_it(store: impl EventStore<PaymentEvent>) {
    let service = || Metadata::new().with("service", "payments");
    let source = move || {
        let spans = SpanMetadata::new().metadata();
        TaskMetadata::current().or(spans).or(service())
    };
    let payments = with_source(store, source);
    let request = Metadata::new().with_correlation_id("request 17");
    let request = request.with("user", "ada");
    let said = Metadata::new().with_causation_id("of the caller");
    let write = async |said: &Metadata| write_in_every_way(&payments, said).await;
    let expected = request.clone().with("service", "payments");
    // What the caller says with the write comes first, then the task, the span, and the rest.
    let subscriber = tracing_subscriber::registry().with(SpanMetadata::new());
    let guard = tracing::subscriber::set_default(subscriber);
    let span = info_span!("request", correlation_id = "span", causation_id = "4711");
    let none = Metadata::new();
    let stored = TaskMetadata::scope(request.clone(), write(&none));
    let stored = stored.instrument(span.clone()).await;
    let with_span = expected.clone().with_causation_id("4711");
    assert_eq!(stored, vec![with_span; 7]);
    let stored = TaskMetadata::scope(request.clone(), write(&said));
    let stored = stored.instrument(span).await;
    let with_caller = expected.clone().with_causation_id("of the caller");
    assert_eq!(stored, vec![with_caller; 7]);
    // It needs no subscriber.
    drop(guard);
    let stored = TaskMetadata::scope(request, write(&Metadata::new())).await;
    assert_eq!(stored, vec![expected; 7]);
    let outside = write(&Metadata::new()).await;
    assert_eq!(outside, vec![service(); 7]);
}

#[tokio::test]
async fn the_metadata_of_the_task_stands_beside_each_event() {
    the_task_says_it(FakeEventStore::new()).await;
    the_task_says_it(TemporaryStore::open().await).await;
    if let Some(store) = TestStore::new().await {
        the_task_says_it(store.store.clone()).await;
    }
}

/// Several requests at once, on several threads: each event has the user of its own request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_do_not_get_the_metadata_of_others() {
    let file = TemporaryStore::open().await;
    let payments = with_source(file, TaskMetadata::new());
    let requests = (0..50).map(|number: i64| {
        let payments = payments.clone();
        let request = async move {
            let stored = write_in_every_way(&payments, &Metadata::new()).await;
            let expected = Metadata::new().with("request", number);
            assert_eq!(stored, vec![expected; 7]);
        };
        tokio::spawn(TaskMetadata::scope(
            Metadata::new().with("request", number),
            request,
        ))
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.unwrap();
    }
}

/// What is said once per process.
#[test]
fn a_log_level_that_hides_the_ids_of_spans_is_noticed() {
    run_alone("metadata::alone");
}

/// When run with other tests, it does nothing.
#[tokio::test]
async fn alone() {
    if !is_alone() {
        return;
    }
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    let subscriber = subscriber.with(SpanMetadata::new()).with(LevelFilter::WARN);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let payments = with_source(FakeEventStore::new(), SpanMetadata::new());
    for _ in 0..3 {
        let request = info_span!("request", correlation_id = "request 17");
        let none = Metadata::new();
        let stored = write_in_every_way(&payments, &none).instrument(request);
        assert_eq!(stored.await, vec![none.clone(); 7]);
    }
    let said = log.messages();
    let [warning] = &said[..] else {
        panic!("one warning: {said:?}")
    };
    assert!(
        warning.starts_with("the log level hides spans"),
        "{warning}"
    );
}

/// A report of who did what: the purpose of metadata.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = PaymentEvent)]
struct Report {
    lines: Vec<String>,
}

#[event_handler(PaymentEvent, ignore(Rated | Captured))]
impl Report {
    #[on(Requested | Refunded | Voided)]
    fn note(&mut self, #[record] record: &impl EventRecord<PaymentEvent>) {
        let metadata = record.metadata();
        let user = metadata.get("user").and_then(|user| user.as_text());
        let request = metadata.correlation_id.as_deref();
        self.lines.push(format!(
            "{} in {}",
            user.unwrap_or("somebody"),
            request.unwrap_or("no request")
        ));
    }
}

async fn handlers_see_the_metadata(store: impl EventStore<PaymentEvent>) {
    let reports = LogManager::<Report>::new(
        store,
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    let log_id = LogId::new();
    let create = CreateOptions {
        metadata: Metadata::new()
            .with("user", "ada")
            .with_correlation_id("request 17"),
        ..Default::default()
    };
    let requested = PaymentEvent::Requested { amount: 1 };
    let state = reports.create(&log_id, &requested, &create).await.unwrap();
    let voided = PaymentEvent::Voided;
    reports
        .append(state, &voided, &AppendOptions::default())
        .await
        .unwrap();
    let options = DecideOptions {
        metadata: Metadata::new().with("user", "grace"),
        ..Default::default()
    };
    let decided = reports
        .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
        .await
        .unwrap();
    let expected = [
        "ada in request 17",
        "somebody in no request",
        "grace in no request",
    ];
    // Both on the state that the decision returns and on one that is read.
    assert_eq!(decided.aggregation().aggregate().lines, expected);
    let reduced = reports.reduce(&log_id).await.unwrap();
    assert_eq!(reduced.aggregate().lines, expected);
}

#[tokio::test]
async fn handlers_see_the_metadata_on_the_fake() {
    handlers_see_the_metadata(FakeEventStore::new()).await;
}

#[tokio::test]
async fn handlers_see_the_metadata_on_sqlite() {
    handlers_see_the_metadata(TemporaryStore::open().await).await;
}

#[tokio::test]
async fn handlers_see_the_metadata_on_postgres() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    handlers_see_the_metadata(store.store.clone()).await;
}

#[tokio::test]
async fn a_source_that_says_too_much_is_refused_like_a_caller_that_does() {
    let large = || Metadata::new().with("large", "x".repeat(10_000));
    let payments = with_source(FakeEventStore::new(), large);
    let log_id = LogId::new();
    let refused = payments
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Invalid(InvalidAppend::MetadataTooLarge {
                limit: 8_192,
                ..
            }))
        ),
        "{refused:?}"
    );
    let nothing = payments.reduce(&log_id).await;
    assert!(
        matches!(nothing, Err(LogManagerError::LogNotFound { .. })),
        "{nothing:?}"
    );
}
