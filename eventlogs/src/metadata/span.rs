//! Metadata from the spans of `tracing`.

#[cfg(test)]
mod tests;

use super::Metadata;
use crate::metadata::source::MetadataSource;
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Subscriber, dispatcher};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

/// Gives each write the `correlation_id` and the `causation_id` of the span that it is made in.
///
/// It has two places: it is a layer of the subscriber, which remembers those fields of spans, and the source of a
/// [`LogManager`](crate::LogManager)'s metadata, which finds them again. The two need not know of each other.
///
/// ```
/// use eventlogs::{Metadata, MetadataSource, SpanMetadata};
/// use std::sync::Arc;
/// use tracing::{Instrument, info_span};
/// use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // Where the program sets up its logging, beside the layers that it has anyway.
/// tracing_subscriber::registry().with(SpanMetadata::new()).init();
///
/// // Where it makes its manager: this goes into the options.
/// let source: Arc<dyn MetadataSource> = Arc::new(SpanMetadata::new());
///
/// // Where a request arrives.
/// let request = info_span!("request", correlation_id = "request 17", causation_id = tracing::field::Empty);
/// let handled = async {
///     // Once it is known what the request follows from.
///     tracing::Span::current().record("causation_id", 4711);
///     // A span within it inherits what it does not have.
///     let captured = info_span!("capture").in_scope(|| source.metadata());
///     assert_eq!(captured, Metadata::new().with_correlation_id("request 17").with_causation_id("4711"));
/// };
/// handled.instrument(request).await;
///
/// // Outside of spans nothing is known.
/// assert_eq!(source.metadata(), Metadata::new());
/// # }
/// ```
///
/// # What counts
///
/// - The span that is current for the current subscriber, on whatever thread, and where it has no such field the nearest of
///   its parents that has. A parent is what was current when a span was made, or what `parent:` says; that is also what
///   the lines of a log show.
/// - Fields given when the span is made, and those recorded later, the last one if it is recorded again. A field whose
///   text is empty counts as none.
/// - A value as its text: strings as they are, numbers in digits, `%value` by `Display` and `?value` by `Debug`, which
///   puts a string in quotes.
/// - Only spans that the subscriber lets through. A filter of the whole subscriber that turns a span off hides its fields
///   here too; a filter of another layer does not.
///
/// The subscriber must be built on the [`Registry`] of this version of `tracing-subscriber`, as `fmt` is too. Without one,
/// without this layer, or in no span, the metadata is empty.
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
    /// The layer and the source; each place can have its own.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl MetadataSource for SpanMetadata {
    fn metadata(&self) -> Metadata {
        // The registry knows which span is current on this thread. A list of our own beside it would cost every entering
        // of every span, and would have to get right what spans left out of order or entered twice come to.
        dispatcher::get_default(|dispatch| {
            let registry = dispatch.downcast_ref::<Registry>()?;
            let span = registry.span(registry.current_span().id()?)?;
            Some(SpanIds::reaching(&span).into())
        })
        .unwrap_or_default()
    }
}

impl<S> Layer<S> for SpanMetadata
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
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

/// The ids that a span has itself, kept beside the span by the registry.
#[derive(Debug, Default)]
struct SpanIds {
    /// The value of the field `correlation_id`.
    correlation_id: Option<String>,
    /// The value of the field `causation_id`.
    causation_id: Option<String>,
}

impl SpanIds {
    /// The ids that are in force in a span: its own, else those of the nearest parent.
    fn reaching<'a>(span: &SpanRef<'a, impl LookupSpan<'a>>) -> Self {
        let mut ids = Self::default();
        // Looked up when asked for instead of copied when a span is made, because a parent may learn its ids later.
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

    /// Keeps them beside the span.
    ///
    /// Taken by value, because the values must be formatted before the lock on what is kept there: that is code of the
    /// user's, which may panic or use spans itself.
    fn remember<'a>(self, span: Option<SpanRef<'a, impl LookupSpan<'a>>>) {
        if self.correlation_id.is_none() && self.causation_id.is_none() {
            return;
        }
        let Some(span) = span else {
            return;
        };
        let mut extensions = span.extensions_mut();
        // There may be some already, also of a new span: nobody is kept from adding the layer twice.
        if let Some(kept) = extensions.get_mut::<Self>() {
            kept.correlation_id = self.correlation_id.or(kept.correlation_id.take());
            kept.causation_id = self.causation_id.or(kept.causation_id.take());
        } else {
            extensions.insert(self);
        }
    }

    /// Where the value of this field goes.
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

    // Everything but a text arrives here: numbers, booleans, errors, and what was given with `%` or `?`.
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
