//! Given, when, then: tests of decisions on a history, without a store.
#![allow(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that fails panics"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "an expected value is written in the call, and reads better without a `&`"
)]

pub(in crate::testing) mod difference;
pub(in crate::testing) mod history;
mod outcome;
mod when;

pub use outcome::Outcome;

use crate::aggregate::Aggregate;
use crate::record::{EventRecord, RecordedEvent};
use chrono::{DateTime, Utc};
use history::History;
use std::fmt::Debug;

/// Starts a test with events that have happened.
///
/// The aggregate is named in the call, or follows from the decision:
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// use eventlogs::testing::given;
///
/// given::<Counter>([CounterEvent::Added { amount: 2 }])
///     .when(|counter| Ok::<_, ()>([CounterEvent::Added { amount: -counter.total }]))
///     .then([CounterEvent::Added { amount: -2 }]);
///
/// fn clear(counter: &Counter) -> Result<Option<CounterEvent>, String> {
///     Ok((counter.total != 0).then_some(CounterEvent::Added { amount: -counter.total }))
/// }
/// given([]).when(clear).then_nothing();
/// ```
///
/// The events get records as a store would return them: indices from 0, ids that are UUIDs of version 7, and times of recording
/// that rise by one second per event. All of this is equal in every run.
#[must_use = "nothing is tested without an expectation, such as `reduces_to`, or `when` and `then`"]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Scenario<A> {
    Scenario::new(History::default()).and_given(events)
}

/// Starts a test with complete records, for aggregates that read ids, too.
///
/// Events that are decided on or [given later](Scenario::and_given) continue the same log.
///
/// ```
/// # use eventlogs::__example::{Counter, CounterEvent};
/// use eventlogs::ids::{EventId, LogId};
/// use eventlogs::{RecordedEvent, testing::given_records};
///
/// let time = "2026-01-31T12:00:00Z".parse().expect("a valid time");
/// let log_id = LogId::derived("counter", "till 3");
/// let record = RecordedEvent::new(log_id, 0, EventId::new(), CounterEvent::Added { amount: 2 }, time);
/// assert_eq!(given_records::<Counter>([record]).aggregate().total, 2);
/// ```
///
/// # Panics
/// If no store could have returned these records:
/// - their indices do not count up from 0,
/// - they belong to several logs, or
/// - their times of recording fall.
#[must_use = "nothing is tested without an expectation, such as `reduces_to`, or `when` and `then`"]
#[track_caller]
pub fn given_records<A: Aggregate>(
    records: impl IntoIterator<Item = RecordedEvent<A::Event>>,
) -> Scenario<A> {
    match History::from_records(records.into_iter().collect()) {
        Ok(history) => Scenario::new(history),
        Err(misfit) => panic!("{misfit}"),
    }
}

/// The history so far of a test that began with [`given`]. Try a decision on it with [`when`](Scenario::when), or state what it
/// [reduces to](Scenario::reduces_to).
#[derive(Debug)]
pub struct Scenario<A: Aggregate> {
    /// The events, with their records.
    pub(super) history: History<A::Event>,
}

impl<A: Aggregate> Scenario<A> {
    /// Creates the test at this point of the history.
    pub(super) const fn new(history: History<A::Event>) -> Self {
        Self { history }
    }

    /// Adds events that have happened, too: later ones, or those of another process.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// # let two = || CounterEvent::Added { amount: 2 };
    /// let counter = given::<Counter>([two()]).and_given([two()]).aggregate();
    /// assert_eq!(counter.total, 4);
    /// ```
    #[must_use = "nothing is tested without an expectation, such as `reduces_to`, or `when` and `then`"]
    pub fn and_given(mut self, events: impl IntoIterator<Item = A::Event>) -> Self {
        self.history.push(events);
        self
    }

    /// Sets the time at which the events given last were recorded: one time for all of them, as in one append. Later events are
    /// recorded one second later each.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// # let two = || CounterEvent::Added { amount: 2 };
    /// use eventlogs::EventRecord;
    ///
    /// let [new_year, spring] = ["2026-01-01T00:00:00Z", "2026-03-20T14:46:00Z"].map(|time| time.parse().unwrap());
    /// let scenario = given::<Counter>([two()]).recorded_at(new_year).and_given([two()]).recorded_at(spring);
    /// assert_eq!(scenario.records()[1].recorded_at(), spring);
    /// ```
    ///
    /// # Panics
    /// If no event was given last, or if the event before them was recorded later: the time of recording never falls along a
    /// log.
    #[must_use = "nothing is tested without an expectation, such as `reduces_to`, or `when` and `then`"]
    #[track_caller]
    pub fn recorded_at(mut self, time: DateTime<Utc>) -> Self {
        match self.history.set_recorded_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the events given last happened (`occurred_at`).
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// # let two = || CounterEvent::Added { amount: 2 };
    /// use eventlogs::EventRecord;
    ///
    /// let yesterday = "2025-12-31T23:59:59Z".parse().unwrap();
    /// let scenario = given::<Counter>([two()]).occurred_at(yesterday);
    /// assert_eq!(scenario.records()[0].occurred_at(), Some(yesterday));
    /// ```
    ///
    /// # Panics
    /// If no event was given last.
    #[must_use = "nothing is tested without an expectation, such as `reduces_to`, or `when` and `then`"]
    #[track_caller]
    pub fn occurred_at(mut self, time: DateTime<Utc>) -> Self {
        match self.history.set_occurred_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Expects this state after all events so far.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// given([CounterEvent::Added { amount: 5 }])
    ///     .reduces_to(Counter { total: 5, events: 1, ..Counter::default() });
    /// ```
    #[track_caller]
    #[allow(
        clippy::return_self_not_must_use,
        reason = "the call itself checks the expectation"
    )]
    pub fn reduces_to(self, expected: A) -> Self
    where
        A: PartialEq + Debug,
    {
        let found: A = self.history.fold();
        assert!(
            found == expected,
            "the events so far reduce to another state than expected\n{}",
            difference::values(&expected, &found)
        );
        self
    }

    /// Returns the state after all events so far, for expectations of your own.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// let counter = given::<Counter>([CounterEvent::Added { amount: 5 }]).aggregate();
    /// assert!(counter.total > 0);
    /// ```
    #[must_use]
    pub fn aggregate(&self) -> A {
        self.history.fold()
    }

    /// Returns all events so far, with the records that the aggregate sees.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// use eventlogs::EventRecord;
    ///
    /// let scenario = given::<Counter>([CounterEvent::Added { amount: 5 }]);
    /// assert_eq!(scenario.records()[0].index(), 0);
    /// ```
    #[must_use]
    pub fn records(&self) -> &[RecordedEvent<A::Event>] {
        self.history.records()
    }

    /// Returns all events so far.
    ///
    /// ```
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::testing::given;
    /// let scenario = given::<Counter>([CounterEvent::Added { amount: 5 }]);
    /// assert!(scenario.events().eq(&[CounterEvent::Added { amount: 5 }]));
    /// ```
    pub fn events(&self) -> impl Iterator<Item = &A::Event> {
        self.history.records().iter().map(EventRecord::event)
    }
}
