//! The metrics of managers, through the facade of the `metrics` crate. Without the feature `metrics` these functions do
//! nothing. The page `guide::operation` lists the names.

/// Records the number of attempts of a decision that was stored or abandoned.
pub(crate) fn decided(attempts: u32) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("eventlogs_decide_attempts").record(attempts);
    #[cfg(not(feature = "metrics"))]
    let _ = attempts;
}

/// Counts a write that had happened before.
pub(crate) fn replayed() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_replays_total").increment(1);
}

/// Counts a write that conflicted with another one.
pub(crate) fn conflicted() {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_conflicts_total").increment(1);
}

/// What a reduction found in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// An aggregate that is up to date, or may be as old as it is.
    Hit,
    /// Nothing.
    Miss,
    /// An aggregate; the log has later events.
    Stale,
    /// An aggregate with events that the log does not have.
    Ahead,
    /// An aggregate of another history of the log.
    Forked,
    /// Nothing within the time limit.
    TooSlow,
    /// An error.
    Failed,
}

impl Lookup {
    /// The value of the label.
    #[cfg(feature = "metrics")]
    const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Ahead => "ahead",
            Self::Forked => "forked",
            Self::TooSlow => "too_slow",
            Self::Failed => "failed",
        }
    }
}

/// Counts a lookup in the cache of an aggregate.
pub(crate) fn looked_up(aggregate: &'static str, lookup: Lookup) {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_cache_lookups_total", "aggregate" => aggregate, "result" => lookup.label())
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (aggregate, lookup);
}

/// Records the number of events that a reduction applied.
pub(crate) fn reduced(aggregate: &'static str, events: u64) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("eventlogs_reduced_events", "aggregate" => aggregate)
        .record(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
    #[cfg(not(feature = "metrics"))]
    let _ = (aggregate, events);
}

/// Counts an aggregate that was not cached because too many others wait.
pub(crate) fn dropped(aggregate: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("eventlogs_cache_dropped_total", "aggregate" => aggregate).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = aggregate;
}
