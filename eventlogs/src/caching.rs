//! Policies that decide which aggregates are cached.

mod policies;
pub(crate) mod rules;

pub use policies::{LogAgePolicy, LogLengthPolicy};
pub use rules::CacheRules;

use crate::aggregation::Aggregation;

/// Decides which reduced aggregates are cached.
///
/// The background task that writes to the cache asks the policy, so a policy may take its time without slowing a caller down. A
/// closure is a policy:
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
    /// Returns `true` if this aggregation is to be written to the cache.
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
