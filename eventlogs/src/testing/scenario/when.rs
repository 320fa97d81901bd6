//! Running a decision.

use crate::aggregate::Aggregate;
use crate::testing::scenario::Scenario;
use crate::testing::scenario::outcome::Outcome;

impl<A: Aggregate> Scenario<A> {
    /// Runs a decision: the closure or function that [`LogManager::decide`](crate::LogManager::decide) takes.
    ///
    /// It runs twice, as if another writer had been faster the first time, and the second result counts. A decision that uses
    /// up what it captured fails here, and not only under load.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// fn take(amount: i64) -> impl FnMut(&Counter) -> Result<[CounterEvent; 1], &'static str> {
    ///     move |counter| match counter.total {
    ///         total if total < amount => Err("too much"),
    ///         _ => Ok([CounterEvent::Added { amount: -amount }]),
    ///     }
    /// }
    ///
    /// given([CounterEvent::Added { amount: 5 }])
    ///     .when(take(3))
    ///     .then([CounterEvent::Added { amount: -3 }])
    ///     .when(take(3))
    ///     .then_error("too much");
    /// ```
    ///
    /// # Panics
    /// - If the two results differ in kind or in their number of events.
    /// - If an event is [retired](macro@crate::Event#retired).
    #[track_caller]
    pub fn when<D, I, R>(self, decision: D) -> Outcome<A, R>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        Outcome::new(self.history, decision)
    }
}
