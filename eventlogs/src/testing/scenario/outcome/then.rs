//! Expectations of the decided events, or of the refusal.

use super::{Outcome, count};
use crate::aggregate::Aggregate;
use crate::record::EventRecord;
use crate::testing::scenario::{Scenario, difference};
use std::fmt::Debug;

impl<A: Aggregate, R> Outcome<A, R> {
    /// Expects exactly these events.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// given::<Counter>([])
    ///     .when(|_| Ok::<_, ()>([CounterEvent::Added { amount: 1 }, CounterEvent::Added { amount: 2 }]))
    ///     .then([CounterEvent::Added { amount: 1 }, CounterEvent::Added { amount: 2 }]);
    /// ```
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> Scenario<A>
    where
        A::Event: PartialEq + Debug,
        R: Debug,
    {
        let expected: Vec<_> = expected.into_iter().collect();
        if let Some(refusal) = &self.refusal {
            panic!(
                "the decision was refused, but was expected to return {}\n{}",
                count(expected.len()),
                difference::unlike(&expected, refusal)
            );
        }
        let expected: Vec<_> = expected.iter().collect();
        let decided = self.decided();
        assert!(
            expected == decided,
            "the decision returned other events than expected\n{}",
            difference::events(&expected, &decided)
        );
        Scenario::new(self.history)
    }

    /// Expects a decision that returns no event and does not refuse.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// let clear = |counter: &Counter| match counter.total {
    ///     0 => Ok::<_, ()>(None),
    ///     total => Ok(Some(CounterEvent::Added { amount: -total })),
    /// };
    /// given([]).when(clear).then_nothing();
    /// ```
    #[track_caller]
    pub fn then_nothing(self) -> Scenario<A>
    where
        A::Event: Debug,
        R: Debug,
    {
        self.fail_if_refused();
        let decided = self.decided();
        assert!(
            decided.is_empty(),
            "the decision returned {}, but none was expected\n{}",
            count(decided.len()),
            difference::found(&decided)
        );
        Scenario::new(self.history)
    }

    /// Expects events for which this function returns `true`: for events that contain random values or cannot be compared.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// given::<Counter>([])
    ///     .when(|_| Ok::<_, ()>([CounterEvent::Noted { text: eventlogs::ids::LogId::new().to_string() }]))
    ///     .then_matches(|events| matches!(events, [CounterEvent::Noted { .. }]));
    /// ```
    #[track_caller]
    pub fn then_matches(self, expected: impl FnOnce(&[&A::Event]) -> bool) -> Scenario<A>
    where
        A::Event: Debug,
        R: Debug,
    {
        self.fail_if_refused();
        let decided = self.decided();
        assert!(
            expected(&decided),
            "the decision returned other events than expected\n{}",
            difference::found(&decided)
        );
        Scenario::new(self.history)
    }

    /// Expects this refusal.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// given::<Counter>([])
    ///     .when(|_| Err::<[CounterEvent; 0], _>("closed"))
    ///     .then_error("closed");
    /// ```
    #[track_caller]
    pub fn then_error(self, expected: R) -> Scenario<A>
    where
        A::Event: Debug,
        R: PartialEq + Debug,
    {
        let refusal = self.refusal_or_fail();
        assert!(
            *refusal == expected,
            "the decision was refused for another reason than expected\n{}",
            difference::values(&expected, refusal)
        );
        Scenario::new(self.history)
    }

    /// Expects a refusal for which this function returns `true`.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// given::<Counter>([])
    ///     .when(|_| "ten".parse().map(|amount| [CounterEvent::Added { amount }]))
    ///     .then_error_matches(|error| error.to_string().contains("invalid digit"));
    /// ```
    #[track_caller]
    pub fn then_error_matches(self, expected: impl FnOnce(&R) -> bool) -> Scenario<A>
    where
        A::Event: Debug,
        R: Debug,
    {
        let refusal = self.refusal_or_fail();
        assert!(
            expected(refusal),
            "the decision was refused for another reason than expected\n{}",
            difference::found(refusal)
        );
        Scenario::new(self.history)
    }

    /// Returns the events that were decided on.
    fn decided(&self) -> Vec<&A::Event> {
        let records = self.history.last_batch();
        records.iter().map(EventRecord::event).collect()
    }

    #[track_caller]
    fn refusal_or_fail(&self) -> &R
    where
        A::Event: Debug,
    {
        let Some(refusal) = &self.refusal else {
            let decided = self.decided();
            panic!(
                "the decision returned {}, but a refusal was expected\n{}",
                count(decided.len()),
                difference::found(&decided)
            );
        };
        refusal
    }
}
