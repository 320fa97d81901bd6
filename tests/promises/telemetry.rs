//! Every operation has a span of its own, with the log id in it.

use crate::payments::{PaymentEvent, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{AppendOptions, CreateOptions, DecideOptions, PointInTime};
use futures_util::TryStreamExt;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Records the name and the fields of every span.
#[derive(Clone, Default)]
struct Spans {
    opened: Arc<Mutex<Vec<String>>>,
    next: Arc<AtomicU64>,
}

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
