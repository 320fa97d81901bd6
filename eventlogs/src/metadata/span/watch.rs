//! Notices that the ids of spans do not arrive, and warns once.
//!
//! A filter of the whole subscriber hides spans from all layers, and the level that a program logs at is chosen by whoever starts
//! it. A span that is hidden does not reach this layer. What can be noticed is a write without ids, while there is a reason to
//! expect some.
//!
//! The subscriber is not asked whether it would let a span through: filters of layers remember the answer, and the next line of the
//! log could be lost.

#[cfg(test)]
mod tests;

use crate::sync::lock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Metadata};

/// After how many writes without ids it is worth a warning that no span has ever had one.
const MANY: u64 = 100;

/// What this process knows.
pub(super) static WATCH: Watch = Watch::new();

/// What is known about the ids of spans.
pub(super) struct Watch {
    /// Whether the layer was added to a subscriber.
    is_layer: AtomicBool,
    /// Whether the layer has seen a span with an id.
    has_seen_ids: AtomicBool,
    /// The number of writes without ids.
    without_ids: AtomicU64,
    /// The places of the program that make spans with ids, as far as the layer is told of them.
    places: Mutex<Vec<Place>>,
    /// How many of them have made no span that the layer has seen.
    unseen: AtomicUsize,
    /// Whether the warning was logged.
    has_warned: AtomicBool,
}

/// A place of the program that makes spans with ids. The layer is told of it when it is about to make its first one.
struct Place {
    /// The span.
    span: &'static Metadata<'static>,
    /// Whether the layer has seen such a span.
    is_seen: bool,
}

/// Why a write has no ids.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// There is no layer.
    NoLayer,
    /// The level of the subscriber hides all usual spans.
    Level,
    /// A filter hides this span.
    Filter(&'static Metadata<'static>),
    /// No span has had an id so far.
    NoIds,
}

impl Watch {
    pub(super) const fn new() -> Self {
        Self {
            is_layer: AtomicBool::new(false),
            has_seen_ids: AtomicBool::new(false),
            without_ids: AtomicU64::new(0),
            places: Mutex::new(Vec::new()),
            unseen: AtomicUsize::new(0),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Notes that the layer was added to a subscriber.
    pub(super) fn layered(&self) {
        self.is_layer.store(true, Ordering::Relaxed);
    }

    /// Notes that the layer has seen a span with an id.
    pub(super) fn seen(&self) {
        self.has_seen_ids.store(true, Ordering::Relaxed);
    }

    /// Notes a span of the program, when it is first reached.
    pub(super) fn registered(&self, span: &'static Metadata<'static>) {
        let fields = span.fields();
        let has_ids = ["correlation_id", "causation_id"]
            .iter()
            .any(|name| fields.field(name).is_some());
        if !span.is_span() || !has_ids {
            return;
        }
        let mut places = lock(&self.places);
        if places.iter().all(|place| !place.makes(span)) {
            places.push(Place {
                span,
                is_seen: false,
            });
            self.unseen.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes a new span that the layer sees.
    pub(super) fn made(&self, span: &Metadata<'_>) {
        if self.unseen.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut places = lock(&self.places);
        let unseen = places.iter_mut().filter(|place| !place.is_seen);
        for place in unseen {
            if place.makes(span) {
                place.is_seen = true;
                self.unseen.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Notes a write without ids. Returns the reason if it is to be logged: at most once.
    pub(super) fn without_ids(&self, dispatch: &Dispatch, level: LevelFilter) -> Option<Reason> {
        let writes = self.without_ids.fetch_add(1, Ordering::Relaxed) + 1;
        if self.has_warned.load(Ordering::Relaxed) || dispatch.is::<NoSubscriber>() {
            return None;
        }
        let reason = self.reason(level, writes)?;
        let is_first = !self.has_warned.swap(true, Ordering::Relaxed);
        is_first.then_some(reason)
    }

    fn reason(&self, level: LevelFilter, writes: u64) -> Option<Reason> {
        if !self.is_layer.load(Ordering::Relaxed) {
            return Some(Reason::NoLayer);
        }
        let places = lock(&self.places);
        if let Some(hidden) = places.iter().find(|place| !place.is_seen) {
            return Some(Reason::Filter(hidden.span));
        }
        // Below this level, a span is not even offered to the layers. A program that has had ids has spans that are not hidden:
        // this write is then one that belongs to none of them.
        if self.has_seen_ids.load(Ordering::Relaxed) {
            return None;
        }
        if level < LevelFilter::INFO {
            return Some(Reason::Level);
        }
        (writes >= MANY).then_some(Reason::NoIds)
    }
}

impl Place {
    fn makes(&self, span: &Metadata<'_>) -> bool {
        self.span.callsite() == span.callsite()
    }
}

impl Reason {
    /// Logs the warning.
    pub(super) fn warn(self) {
        match self {
            Self::NoLayer => tracing::warn!(
                "`SpanMetadata` is a source of metadata, but it is no layer of the subscriber, so events are stored without ids; \
                 add `SpanMetadata::new()` to the layers"
            ),
            Self::Level => tracing::warn!(
                "the log level hides spans, so events are stored without their ids; filter the layer that writes the log instead \
                 of the whole subscriber, or set the ids with `TaskMetadata`"
            ),
            Self::Filter(span) => tracing::warn!(
                span = span.name(),
                target = span.target(),
                level = %span.level(),
                "a filter hides a span with ids, so events are stored without them; filter the layer that writes the log instead \
                 of the whole subscriber, or set the ids with `TaskMetadata`"
            ),
            Self::NoIds => tracing::warn!(
                writes = MANY,
                "no span has had a `correlation_id` or a `causation_id` since the program began, so events are stored without \
                 ids; check the names of the fields and the filter of the subscriber, or set the ids with `TaskMetadata`"
            ),
        }
    }
}
