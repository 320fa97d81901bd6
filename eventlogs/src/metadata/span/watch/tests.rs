use super::*;
use tracing::field::Empty;
use tracing::subscriber::with_default;
use tracing::{Subscriber, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;
use tracing_subscriber::registry::LookupSpan;

/// A layer that tells its own watch what `SpanMetadata` tells that of the process. Every layer is told of the spans of other
/// tests, too, so it looks at those of one test, and only in that.
#[derive(Clone, Copy)]
struct Watching {
    watch: &'static Watch,
    is_told_of_spans: bool,
}

/// The target of the spans that are about ids.
const OF_FILTER: &str = "ids of spans";

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watching {
    fn on_layer(&mut self, _: &mut S) {
        self.watch.layered();
    }

    fn register_callsite(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        if self.is_told_of_spans && metadata.target() == OF_FILTER {
            self.watch.registered(metadata);
        }
        tracing::subscriber::Interest::always()
    }

    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: Context<'_, S>,
    ) {
        self.watch.made(attributes.metadata());
    }
}

fn watch() -> Watching {
    Watching {
        watch: Box::leak(Box::new(Watch::new())),
        is_told_of_spans: false,
    }
}

impl Watching {
    /// Notes a write without ids.
    fn write(self, level: LevelFilter) -> Option<Reason> {
        tracing::dispatcher::get_default(|dispatch| self.watch.without_ids(dispatch, level))
    }
}

#[test]
fn a_source_without_a_layer_is_noticed_once() {
    let watch = watch();
    // Nobody would read the warning.
    assert!(watch.write(LevelFilter::INFO).is_none());
    with_default(registry(), || {
        let reason = watch.write(LevelFilter::INFO);
        assert!(matches!(reason, Some(Reason::NoLayer)), "{reason:?}");
        assert!(watch.write(LevelFilter::INFO).is_none());
    });
}

#[test]
fn a_level_that_hides_spans_is_noticed_once() {
    let watch = watch();
    with_default(registry().with(watch), || {
        assert!(watch.write(LevelFilter::INFO).is_none());
        let reason = watch.write(LevelFilter::WARN);
        assert!(matches!(reason, Some(Reason::Level)), "{reason:?}");
        assert!(watch.write(LevelFilter::WARN).is_none());
    });
}

/// A service whose spans have a higher level may write outside of requests.
#[test]
fn writes_outside_of_spans_are_no_reason_once_a_span_had_ids() {
    let watch = watch();
    with_default(registry().with(watch), || {
        watch.watch.seen();
        for _ in 0..2 * MANY {
            assert!(watch.write(LevelFilter::WARN).is_none());
        }
    });
}

#[test]
fn a_span_with_ids_that_a_filter_hides_is_noticed() {
    let watch = Watching {
        is_told_of_spans: true,
        ..watch()
    };
    let filter = filter_fn(|metadata| metadata.name() != "hidden");
    with_default(registry().with(filter).with(watch), || {
        let _other = info_span!(target: OF_FILTER, "other", user = 1);
        let _shown = info_span!(target: OF_FILTER, "shown", causation_id = Empty);
        watch.watch.seen();
        assert!(watch.write(LevelFilter::INFO).is_none());
        let _hidden = info_span!(target: OF_FILTER, "hidden", correlation_id = 1);
        let reason = watch.write(LevelFilter::INFO);
        let is_hidden = |span: &Metadata<'_>| span.name() == "hidden";
        assert!(
            matches!(reason, Some(Reason::Filter(span)) if is_hidden(span)),
            "{reason:?}"
        );
        assert!(watch.write(LevelFilter::INFO).is_none());
    });
}

/// A misspelt field, or a filter that the layer is not told of.
#[test]
fn many_writes_without_any_id_are_noticed_once() {
    let watch = watch();
    with_default(registry().with(watch), || {
        for _ in 1..MANY {
            assert!(watch.write(LevelFilter::INFO).is_none());
        }
        let reason = watch.write(LevelFilter::INFO);
        assert!(matches!(reason, Some(Reason::NoIds)), "{reason:?}");
        assert!(watch.write(LevelFilter::INFO).is_none());
    });
}
