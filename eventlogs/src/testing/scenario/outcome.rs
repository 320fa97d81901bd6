//! The result of a decision, and the expectations of it.

mod then;

use super::Scenario;
use crate::aggregate::Aggregate;
use crate::stores::error::invalid::InvalidAppend;
use crate::testing::scenario::difference;
use crate::testing::scenario::history::History;
use chrono::{DateTime, Utc};
use std::fmt::Debug;

/// The result of a decision, in a test that began with [`given`](super::given): state what you expect of it.
///
/// You can drop the value that a `then…` method returns, or continue with it: its history now includes the events that were
/// decided on, or is unchanged if the decision was refused.
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
/// `R` is the error of the decision. The `Debug` bounds are for the message of a test that fails.
#[derive(Debug)]
#[must_use = "without a `then…` or `reduces_to` the test cannot fail"]
pub struct Outcome<A: Aggregate, R> {
    /// The events so far; those decided on are the last.
    history: History<A::Event>,
    /// The reason why the decision was refused.
    refusal: Option<R>,
}

impl<A: Aggregate, R> Outcome<A, R> {
    /// Runs the decision.
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
            "run twice on one state, the decision returned {once} and then {again}; `decide` runs it again whenever another \
             writer was faster, so a decision must not use up what it captured"
        );
        let (events, refusal) = match second {
            Ok(events) => (events, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let retired = events.iter().find_map(A::retired);
        if let Some(entry) = retired {
            panic!(
                "the decision returned a retired event: {}",
                InvalidAppend::retired(entry)
            );
        }
        history.push(events);
        // As in production, where an aggregate that cannot apply the decided events would panic as well.
        history.fold::<A>();
        Self { history, refusal }
    }

    /// Expects this state after the decided events, whichever they are.
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

    /// Runs the next decision on the resulting state, without checking the events of this one.
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

    /// Sets the time at which the decided events are recorded: one time for all of them.
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
    /// If no event was decided on, or if the event before them was recorded later.
    #[track_caller]
    pub fn recorded_at(mut self, time: DateTime<Utc>) -> Self {
        match self.history.set_recorded_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the decided events happened (`occurred_at`).
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
    /// If no event was decided on.
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
                "the decision was refused, but no refusal was expected\n{}",
                difference::found(refusal)
            );
        }
    }
}

/// Puts a number of events in words.
fn count(events: usize) -> String {
    match events {
        0 => "no event".to_owned(),
        1 => "1 event".to_owned(),
        events => format!("{events} events"),
    }
}
