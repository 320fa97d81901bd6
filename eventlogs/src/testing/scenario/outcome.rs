//! What a decision gave, and what is expected of it.

mod then;

use super::Scenario;
use crate::aggregate::Aggregate;
use crate::testing::scenario::difference;
use crate::testing::scenario::history::History;
use chrono::{DateTime, Utc};
use std::fmt::Debug;

/// What a decision gave, in a test that began with [`given`](super::given): say what was expected.
///
/// What a `then…` returns can be dropped, or gone on with: the history now holds the events that were decided on, or is
/// what it was if the decision was refused.
///
/// | Expected | Call | Needs |
/// |---|---|---|
/// | these events | [`then`](Outcome::then) | `Event: PartialEq + Debug`, `R: Debug` |
/// | no event | [`then_nothing`](Outcome::then_nothing) | `Event: Debug`, `R: Debug` |
/// | events like these | [`then_matches`](Outcome::then_matches) | `Event: Debug`, `R: Debug` |
/// | this refusal | [`then_error`](Outcome::then_error) | `Event: Debug`, `R: PartialEq + Debug` |
/// | a refusal like this | [`then_error_matches`](Outcome::then_error_matches) | `Event: Debug`, `R: Debug` |
/// | this state | [`reduces_to`](Outcome::reduces_to) | `A: PartialEq + Debug`, `R: Debug` |
///
/// `R` is the error of the decision, and `Debug` is for the message of a test that fails.
#[derive(Debug)]
#[must_use = "without a `then…` or `reduces_to` the test cannot fail"]
pub struct Outcome<A: Aggregate, R> {
    /// What has happened, the events decided on last.
    history: History<A::Event>,
    /// Why nothing was decided.
    refusal: Option<R>,
}

impl<A: Aggregate, R> Outcome<A, R> {
    /// Asks the decision.
    #[track_caller]
    pub(super) fn new<D, I>(mut history: History<A::Event>, mut decision: D) -> Self
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        let aggregate: A = history.fold();
        let first = decision(&aggregate).map(|events| events.into_iter().count());
        let second = decision(&aggregate).map(|events| events.into_iter().collect::<Vec<_>>());
        let answer = |answer: Option<usize>| match answer {
            Some(events) => count(events),
            None => "a refusal".to_owned(),
        };
        let [once, again] = [first.ok(), second.as_ref().ok().map(Vec::len)].map(answer);
        assert!(
            once == again,
            "asked twice on one state, the decision gave {once} and then {again}; `decide` asks again whenever somebody else \
             was faster, so a decision must not use up what it captured"
        );
        let (events, refusal) = match second {
            Ok(events) => (events, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        history.push(events);
        // As in production, where an aggregate that cannot apply what was decided would panic as well.
        history.fold::<A>();
        Self { history, refusal }
    }

    /// Expects this state after the events that were decided on, whichever they are.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// given::<Counter>([CounterEvent::Added { amount: 5 }])
    ///     .when(|_| Ok::<_, ()>([CounterEvent::Added { amount: 1 }]))
    ///     .reduces_to(Counter { total: 6, events: 2, ..Counter::default() });
    /// ```
    #[track_caller]
    pub fn reduces_to(self, expected: A) -> Scenario<A>
    where
        A: PartialEq + Debug,
        R: Debug,
    {
        self.fail_if_refused();
        Scenario::new(self.history).reduces_to(expected)
    }

    /// Asks the next decision on what this one led to, without a look at its events.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// let double = |counter: &Counter| Ok::<_, ()>([CounterEvent::Added { amount: counter.total }]);
    /// given([CounterEvent::Added { amount: 5 }])
    ///     .when(double)
    ///     .and_when(double)
    ///     .then([CounterEvent::Added { amount: 10 }]);
    /// ```
    #[track_caller]
    pub fn and_when<D, I, Next>(self, decision: D) -> Outcome<A, Next>
    where
        D: FnMut(&A) -> Result<I, Next>,
        I: IntoIterator<Item = A::Event>,
        R: Debug,
    {
        self.fail_if_refused();
        Outcome::new(self.history, decision)
    }

    /// Sets the time at which the decided events are recorded, all at once.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// use eventlogs::EventRecord;
    ///
    /// let new_year = "2027-01-01T00:00:00Z".parse().unwrap();
    /// let scenario = given::<Counter>([])
    ///     .when(|_| Ok::<_, ()>([CounterEvent::Added { amount: 1 }]))
    ///     .recorded_at(new_year)
    ///     .then([CounterEvent::Added { amount: 1 }]);
    /// assert_eq!(scenario.records()[0].recorded_at(), new_year);
    /// ```
    ///
    /// # Panics
    /// If none were decided, or if the event in front of them was recorded later.
    #[track_caller]
    pub fn recorded_at(mut self, time: DateTime<Utc>) -> Self {
        match self.history.set_recorded_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the decided events are said to have happened.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// use eventlogs::EventRecord;
    ///
    /// let yesterday = "2025-12-31T23:59:59Z".parse().unwrap();
    /// let scenario = given::<Counter>([])
    ///     .when(|_| Ok::<_, ()>([CounterEvent::Added { amount: 1 }]))
    ///     .occurred_at(yesterday)
    ///     .then([CounterEvent::Added { amount: 1 }]);
    /// assert_eq!(scenario.records()[0].occurred_at(), Some(yesterday));
    /// ```
    ///
    /// # Panics
    /// If none were decided.
    #[track_caller]
    pub fn occurred_at(mut self, time: DateTime<Utc>) -> Self {
        match self.history.set_occurred_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    #[track_caller]
    fn fail_if_refused(&self)
    where
        R: Debug,
    {
        if let Some(refusal) = &self.refusal {
            panic!(
                "the decision was refused, which was not expected\n{}",
                difference::found(refusal)
            );
        }
    }
}

/// A number of events, in words.
fn count(events: usize) -> String {
    match events {
        0 => "no event".to_owned(),
        1 => "1 event".to_owned(),
        events => format!("{events} events"),
    }
}
