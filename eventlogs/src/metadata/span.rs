//! Metadata from the spans of `tracing`.

#[cfg(test)]
mod tests;
mod watch;

use super::Metadata;
use crate::metadata::source::MetadataSource;
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Subscriber, dispatcher};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};
use watch::WATCH;

/// Gives each write the `correlation_id` and the `causation_id` of the span in which it is made.
///
/// It is used in two places: as a layer of the subscriber it stores those fields of spans; as the source of a
/// [`LogManager`](crate::LogManager)'s metadata it reads them. The two values need not be connected.
///
/// ```
/// use eventlogs::{Metadata, MetadataSource, SpanMetadata};
/// use std::sync::Arc;
/// use tracing::{Instrument, info_span};
/// use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // Where the program sets up its logging, together with its other layers.
/// tracing_subscriber::registry().with(SpanMetadata::new()).init();
///
/// // Where the program makes its manager: this goes into the options.
/// let source: Arc<dyn MetadataSource> = Arc::new(SpanMetadata::new());
///
/// // Where a request arrives.
/// let request = info_span!("request", correlation_id = "request 17", causation_id = tracing::field::Empty);
/// let handled = async {
///     // When the cause of the request is known.
///     tracing::Span::current().record("causation_id", 4711);
///     // A span within it inherits the ids that it does not have itself.
///     let captured = info_span!("capture").in_scope(|| source.metadata());
///     assert_eq!(captured, Metadata::new().with_correlation_id("request 17").with_causation_id("4711"));
/// };
/// handled.instrument(request).await;
///
/// // Outside spans there is no metadata.
/// assert_eq!(source.metadata(), Metadata::new());
/// # }
/// ```
///
/// # Rules
///
/// - *Spans:* the span counts that is current for the current subscriber, on whatever thread. If it has no such field, its
///   nearest parent with that field counts. The parent of a span is the one that was current when the span was made, or the one
///   given with `parent:`, as in the lines of a log.
/// - *Fields:* fields count if they are given when the span is made or recorded later. The last value of a field counts. A
///   field with an empty string counts as missing.
/// - *Values:* strings are taken as they are and numbers in digits, `%value` with `Display` and `?value` with `Debug`, which
///   puts a string in quotes.
/// - *Filters:* only spans count that the subscriber lets through. A filter of the whole subscriber that disables a span also
///   hides its fields here; a filter of another layer does not.
///
/// The subscriber must be built on the [`Registry`] of this version of `tracing-subscriber`, as `fmt` is. The metadata is empty
/// without such a subscriber, without this layer, and outside spans.
///
/// # The log level
///
/// The level that a program logs at can change what is stored: with `RUST_LOG=warn`, a filter of the whole subscriber hides the
/// `info_span!` of each request, and events are stored without ids. Filter the layer that writes the log instead:
///
/// ```
/// use eventlogs::SpanMetadata;
/// use tracing::level_filters::LevelFilter;
/// use tracing_subscriber::{Layer, layer::SubscriberExt, registry};
///
/// # mod fmt { pub fn layer() -> tracing_subscriber::layer::Identity { tracing_subscriber::layer::Identity::new() } }
/// let log = fmt::layer().with_filter(LevelFilter::WARN);
/// let subscriber = registry().with(log).with(SpanMetadata::new());
/// # let _ = subscriber;
/// ```
///
/// Or use [`TaskMetadata`](crate::TaskMetadata), which needs no subscriber; both can be [combined](crate::TaskMetadata#combining).
///
/// The log has a warning, once per process, at the first write without ids for which one of these holds:
/// - this is the source, and no subscriber of the process has it as a layer;
/// - a filter has hidden a span that has one of the two fields, as far as the layer is told of it: add the layer after the filter;
/// - no span has had an id so far, and the subscriber lets no spans of the level `INFO` through;
/// - no span has had an id so far, and it is the hundredth write.
///
/// # Combining
///
/// ```
/// # use eventlogs::{Metadata, MetadataSource, SpanMetadata};
/// let spans = SpanMetadata::new();
/// let source = move || spans.metadata().with("service", "payments");
/// # assert_eq!(source(), Metadata::new().with("service", "payments"));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SpanMetadata {}

impl SpanMetadata {
    /// Makes the layer or the source. The two places need not share one value.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl MetadataSource for SpanMetadata {
    fn metadata(&self) -> Metadata {
        // The registry knows the current span of this thread. A list of our own would cost time whenever a span is entered, and
        // would have to handle spans that are left out of order or entered twice.
        let (ids, reason) = dispatcher::get_default(|dispatch| {
            let ids = SpanIds::current(dispatch.downcast_ref::<Registry>());
            let reason = ids
                .is_empty()
                .then(|| WATCH.without_ids(dispatch, LevelFilter::current()));
            (ids, reason.flatten())
        });
        // Within the closure above, nothing is logged.
        if let Some(reason) = reason {
            reason.warn();
        }
        ids.into()
    }
}

impl<S> Layer<S> for SpanMetadata
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, _: &mut S) {
        WATCH.layered();
    }

    fn register_callsite(&self, metadata: &'static tracing::Metadata<'static>) -> Interest {
        WATCH.registered(metadata);
        Interest::always()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        WATCH.made(attributes.metadata());
        let mut ids = SpanIds::default();
        attributes.record(&mut ids);
        ids.remember(context.span(id));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut ids = SpanIds::default();
        values.record(&mut ids);
        ids.remember(context.span(id));
    }
}

/// The ids that a span has itself. The registry keeps them with the span.
#[derive(Debug, Default)]
struct SpanIds {
    /// The value of the field `correlation_id`.
    correlation_id: Option<String>,
    /// The value of the field `causation_id`.
    causation_id: Option<String>,
}

impl SpanIds {
    /// Returns the ids that apply in the current span.
    fn current(registry: Option<&Registry>) -> Self {
        let current = || {
            let registry = registry?;
            let span = registry.span(registry.current_span().id()?)?;
            Some(Self::reaching(&span))
        };
        current().unwrap_or_default()
    }

    const fn is_empty(&self) -> bool {
        self.correlation_id.is_none() && self.causation_id.is_none()
    }

    /// Returns the ids that apply in a span: its own, otherwise those of the nearest parent.
    fn reaching<'a>(span: &SpanRef<'a, impl LookupSpan<'a>>) -> Self {
        let mut ids = Self::default();
        // Looked up now instead of copied when a span is made, because a parent may get its ids later.
        for span in span.scope() {
            if let Some(own) = span.extensions().get::<Self>() {
                ids.correlation_id = ids.correlation_id.or_else(|| own.correlation_id.clone());
                ids.causation_id = ids.causation_id.or_else(|| own.causation_id.clone());
            }
            if ids.correlation_id.is_some() && ids.causation_id.is_some() {
                break;
            }
        }
        ids
    }

    /// Stores the ids with the span.
    ///
    /// They are taken by value, because the values must be formatted before the span's data is locked: formatting runs the
    /// user's code, which may panic or use spans itself.
    fn remember<'a>(self, span: Option<SpanRef<'a, impl LookupSpan<'a>>>) {
        if self.is_empty() {
            return;
        }
        WATCH.seen();
        let Some(span) = span else {
            return;
        };
        let mut extensions = span.extensions_mut();
        // Even a new span may have ids already: a program can add the layer twice.
        if let Some(kept) = extensions.get_mut::<Self>() {
            kept.correlation_id = self.correlation_id.or(kept.correlation_id.take());
            kept.causation_id = self.causation_id.or(kept.causation_id.take());
        } else {
            extensions.insert(self);
        }
    }

    /// Returns the place for the value of this field; `None` if the field is another one.
    fn slot(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
            "correlation_id" => Some(&mut self.correlation_id),
            "causation_id" => Some(&mut self.causation_id),
            _ => None,
        }
    }
}

impl Visit for SpanIds {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.slot(field) {
            *slot = Some(value.to_owned()).filter(|text| !text.is_empty());
        }
    }

    // All values but strings arrive here: numbers, booleans, errors, and values given with `%` or `?`.
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some(slot) = self.slot(field) {
            *slot = Some(format!("{value:?}")).filter(|text| !text.is_empty());
        }
    }
}

impl From<SpanIds> for Metadata {
    fn from(ids: SpanIds) -> Self {
        Self {
            correlation_id: ids.correlation_id,
            causation_id: ids.causation_id,
            ..Self::new()
        }
    }
}
