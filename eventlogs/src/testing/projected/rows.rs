//! Tests of rows, without a database.

use crate::event::Event;
use crate::ids::IntoLogId;
use crate::metadata::Metadata;
use crate::projection::row::ProjectedRow;
use crate::testing::projected::events::GivenEvents;
use crate::testing::projected::table::MemoryTable;
use chrono::{DateTime, Utc};
use std::fmt;
use std::marker::PhantomData;

/// Starts a test of the rows of a projection: give events, and look at the rows. It needs neither a database nor a runtime.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))] {
/// use eventlogs::ids::LogId;
/// use eventlogs::testing::projected;
/// use eventlogs::{Event, Projection, event_handler};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Event)]
/// enum PaymentEvent { Captured { amount: u64 }, Settled }
///
/// #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
/// #[projection(name = "open", events(PaymentEvent), database = sqlite, table = "open", keep = Self::is_open)]
/// struct OpenPayment { #[key] id: LogId, captured: u64, settled: bool }
///
/// #[event_handler(PaymentEvent)]
/// impl OpenPayment {
///     #[on(Captured)]
///     fn capture(&mut self, amount: u64) { self.captured += amount; }
///     #[on(Settled)]
///     fn settle(&mut self) { self.settled = true; }
/// }
///
/// impl OpenPayment {
///     fn is_open(&self) -> bool { !self.settled }
/// }
///
/// let (ada, grace) = (LogId::new(), LogId::new());
/// let payments = projected::<OpenPayment>()
///     .given(ada, [PaymentEvent::Captured { amount: 70 }, PaymentEvent::Captured { amount: 30 }])
///     .given(grace, [PaymentEvent::Captured { amount: 5 }, PaymentEvent::Settled]);
/// assert_eq!(payments.row(&ada), Some(OpenPayment { id: ada, captured: 100, settled: false }));
/// assert_eq!(payments.row(&grace), None);
/// assert_eq!(payments.rows().len(), 1);
/// # }
/// ```
///
/// The events are encoded as a store encodes them, and reach the row by the code that runs it on a database. So `keep`, `by` and
/// `#[through]` count.
/// [`projection_laws!`](crate::testing::projection_laws) tests that any pages make the same rows. Whether a table can hold them
/// is seen on a database: pass `Rows::<OpenPayment>::new()` to [`projected_by`](crate::testing::projected_by).
///
/// The events have ids that are UUIDs of version 7, and times of recording that rise by one second per event. All of this is
/// equal in every run.
#[must_use = "nothing is tested without a look at the rows"]
pub fn projected<R: ProjectedRow>() -> RowScenario<R> {
    RowScenario {
        given: GivenEvents::new(R::SOURCES),
        row: PhantomData,
    }
}

/// The events so far of a test that began with [`projected`]. Look at what they make with [`row`](RowScenario::row) and
/// [`rows`](RowScenario::rows).
#[must_use = "nothing is tested without a look at the rows"]
pub struct RowScenario<R> {
    /// The events.
    given: GivenEvents,
    row: PhantomData<fn() -> R>,
}

impl<R: ProjectedRow> RowScenario<R> {
    /// Adds events of a log. They follow those that the log has already, and come after all events of other logs.
    ///
    /// # Panics
    /// - If the projection does not follow the enum.
    /// - If the log has events of another enum.
    /// - If the codec of the enum refuses an event.
    #[track_caller]
    pub fn given<E: Event>(
        mut self,
        log_id: impl IntoLogId,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        match self.given.push::<E, R>(log_id.into_log_id(), events) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the events given last were recorded: one time for all of them, as in one append. Later events are
    /// recorded one second later each.
    ///
    /// # Panics
    /// If no event was given last, or if the event before them in their log was recorded later.
    #[track_caller]
    pub fn recorded_at(mut self, time: DateTime<Utc>) -> Self {
        match self.given.set_recorded_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the time at which the events given last happened (`occurred_at`).
    ///
    /// # Panics
    /// If no event was given last.
    #[track_caller]
    pub fn occurred_at(mut self, time: DateTime<Utc>) -> Self {
        match self.given.set_occurred_at(time) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Sets the metadata of the events given last, as in one append.
    ///
    /// # Panics
    /// If no event was given last.
    #[track_caller]
    pub fn metadata(mut self, metadata: &Metadata) -> Self {
        match self.given.set_metadata(metadata) {
            Ok(()) => self,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Returns the row with this key after all events so far; `None` if there is none.
    ///
    /// # Panics
    /// Like [`rows`](RowScenario::rows).
    #[must_use]
    #[track_caller]
    pub fn row(&self, key: &R::Key) -> Option<R> {
        self.rows().into_iter().find(|row| row.key() == key)
    }

    /// Returns all rows after all events so far, in the order of their keys as texts.
    ///
    /// # Panics
    /// - If an event cannot be applied, because a handler panics or the event cannot be decoded.
    /// - If a row cannot be written or read: serde does not write it as a struct with its key, say.
    #[must_use]
    #[track_caller]
    pub fn rows(&self) -> Vec<R> {
        match self.rows_by_pages([self.events()]) {
            Ok(rows) => rows,
            Err(misfit) => panic!("{misfit}"),
        }
    }

    /// Returns the number of events so far.
    pub(in crate::testing) fn events(&self) -> usize {
        self.given.all().len()
    }

    /// Returns all rows after pages of these sizes, or why there are none.
    pub(in crate::testing) fn rows_by_pages(
        &self,
        sizes: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<R>, String> {
        let mut table = MemoryTable::<R>::new()?;
        let mut rest = self.given.all();
        for size in sizes {
            let (page, left) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            table.apply(page)?;
            rest = left;
        }
        table.rows()
    }
}

impl<R> Clone for RowScenario<R> {
    fn clone(&self) -> Self {
        Self {
            given: self.given.clone(),
            row: PhantomData,
        }
    }
}

impl<R> fmt::Debug for RowScenario<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RowScenario")
            .field("events", &self.given.all().len())
            .finish_non_exhaustive()
    }
}
