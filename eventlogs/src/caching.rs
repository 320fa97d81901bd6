//! Which aggregates are worth a place in the cache.

mod policies;
pub(crate) mod rules;

pub use policies::{LogAgePolicy, LogLengthPolicy};
pub use rules::CacheRules;

use crate::aggregation::Aggregation;

/// Decides which reduced aggregates are cached.
///
/// It is asked by the background task that writes to the cache, so it may take its time without slowing a caller down.
/// A closure is a policy:
///
/// ```
/// # use eventlogs::{Aggregate, EventRecord};
/// use eventlogs::{Aggregation, LogManagerOptions};
/// use std::sync::Arc;
///
/// # #[derive(Debug, Default, Clone)] pub struct Order { open: bool }
/// # impl Aggregate for Order { type Event = (); fn apply(&mut self, _: &impl EventRecord<()>) {} }
/// let options = LogManagerOptions::<Order> {
///     caching_policy: Some(Arc::new(|order: &Aggregation<Order>| order.aggregate().open)),
///     ..Default::default()
/// };
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a caching policy for `{A}`",
    note = "pass a closure `|aggregation: &Aggregation<{A}>| -> bool`, `LogLengthPolicy` or `LogAgePolicy`, or implement `AggregationCachingPolicy`"
)]
pub trait AggregationCachingPolicy<A>: Send + Sync + 'static {
    /// Whether this aggregation shall be written to the cache.
    fn should_cache(&self, aggregation: &Aggregation<A>) -> bool;
}

impl<A, F> AggregationCachingPolicy<A> for F
where
    F: Fn(&Aggregation<A>) -> bool + Send + Sync + 'static,
{
    fn should_cache(&self, aggregation: &Aggregation<A>) -> bool {
        self(aggregation)
    }
}
