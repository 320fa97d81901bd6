//! Every operation has a span of its own, with the log id in it.

use crate::guide::{table, word, words};
use crate::metrics::run_all;
use crate::payments::{PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{
    AppendOptions, CreateOptions, DecideOptions, PointInTime, Projection, event_handler,
};
use futures_util::TryStreamExt;
use std::collections::BTreeSet;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Records the name and the fields of every span.
#[derive(Clone, Default)]
struct Spans {
    opened: Arc<Mutex<Vec<String>>>,
    /// The names, levels and names of fields.
    kinds: Arc<Mutex<BTreeSet<Kind>>>,
    next: Arc<AtomicU64>,
}

/// Keeps the messages of the log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Message<'a>(&'a Log);
        impl Visit for Message<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                if field.name() == "message" {
                    self.0.0.lock().unwrap().push(format!("{value:?}"));
                }
            }
        }
        event.record(&mut Message(self));
    }
}

type Kind = (String, String, BTreeSet<String>);

/// The fields of one span as text.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("writing to a string cannot fail");
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("eventlogs")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        let metadata = span.metadata();
        let names = metadata.fields().iter();
        self.kinds.lock().unwrap().insert((
            metadata.name().to_owned(),
            metadata.level().to_string().to_lowercase(),
            names.map(|field| field.name().to_owned()).collect(),
        ));
        self.opened.lock().unwrap().push(fields.0);
        Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn every_operation_has_a_span_with_its_log() {
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(spans.clone());
    let payments = payments(FakeEventStore::new());
    let log_id = LogId::new();
    let state = payments
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    payments
        .append(state, &refund(1), &AppendOptions::default())
        .await
        .unwrap();
    payments.reduce(&log_id).await.unwrap();
    payments
        .reduce_at(&log_id, PointInTime::Index(0))
        .await
        .unwrap();
    payments.load(&log_id, 0, 10).await.unwrap();
    payments
        .stream(log_id, 0)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    payments
        .decide(&log_id, &DecideOptions::default(), |_| {
            Ok::<_, ()>([PaymentEvent::Voided])
        })
        .await
        .unwrap();

    let parts = [(payments.reduce(&log_id).await.unwrap(), [refund(1)])];
    payments
        .append_across(parts, &AppendOptions::default())
        .await
        .unwrap();

    let opened = spans.opened.lock().unwrap();
    for operation in [
        "create",
        "append",
        "reduce",
        "reduce_at",
        "load",
        "stream",
        "decide",
    ] {
        let span = opened
            .iter()
            .find(|span| span.split(' ').next() == Some(operation))
            .unwrap_or_else(|| panic!("no span `{operation}` in {opened:?}"));
        assert!(span.contains(&format!("log_id={log_id}")), "{span}");
        assert!(span.contains(r#"aggregate="Payment""#), "{span}");
    }
    // For several logs, their number.
    let many = opened
        .iter()
        .find(|span| span.starts_with("append_across "));
    let many = many.expect("several logs have a span, too");
    assert!(many.contains("logs=1"), "{many}");
}

/// Does nothing.
#[derive(Debug, Projection)]
#[projection(name = "traced", events(PaymentEvent), database = elsewhere)]
struct Traced;

#[event_handler(PaymentEvent, ignore(_))]
impl Traced {
    #[on(Captured)]
    async fn capture(&self) {}
}

#[tokio::test]
async fn the_guide_lists_every_span_with_its_level_and_its_fields() {
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(spans.clone());
    run_all(FakeEventStore::encoding()).await;
    run_all(TemporaryStore::open().await.kept()).await;
    let file = TemporaryStore::open().await;
    captured(&payments(file.store.clone())).await;
    let subscriptions = Subscriptions::new(&file.store).projection(Traced);
    let running = subscriptions.start().await.unwrap();
    running.shutdown().await;
    let postgres = TestStore::new().await;
    let has_postgres = postgres.is_some();
    if let Some(postgres) = postgres {
        run_all(postgres.store).await;
    }
    let row = |row: &Vec<String>| (word(&row[0]), row[1].clone(), words(&row[2]));
    let mut documented: BTreeSet<Kind> = table(&["Span", "Level", "Fields"])
        .iter()
        .map(row)
        .collect();
    if !has_postgres {
        documented.retain(|(name, ..)| !name.starts_with("postgres"));
    }
    assert_eq!(*spans.kinds.lock().unwrap(), documented);
}
