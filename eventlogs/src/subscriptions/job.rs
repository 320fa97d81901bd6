//! A projection without its type: what the tasks of its partitions need.

use crate::cursor::Cursor;
use crate::feed::event::FeedEvent;
use crate::feed::page::FeedPage;
use crate::feed::source::Source;
use crate::ids::LogId;
use crate::projection::checkpoint::{ProjectionStore, ProjectionTransaction, Step};
use crate::projection::contract::Projection;
use crate::projection::handler::HandlerError;
use crate::projection::page::{EventPage, PageError};
use crate::projection::parked::ParkedChange;
use crate::projection::row_error::RowError;
use crate::projection::table::RowTable;
use crate::stores::error::passing::passes;
use crate::stores::error::store::StoreError;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The facts about a projection.
#[derive(Debug, Clone, Copy)]
pub(super) struct JobFacts {
    pub(super) name: &'static str,
    pub(super) sources: &'static [Source],
    pub(super) create: Option<&'static str>,
    pub(super) fingerprint: u64,
    pub(super) one_partition: bool,
}

/// A projection of any type on a store.
pub(super) trait Job<S>: Send + Sync {
    /// Returns the facts.
    fn facts(&self) -> JobFacts;

    /// Returns the table whose rows the projection writes.
    fn table(&self) -> Result<Option<RowTable>, RowError>;

    /// Applies the events of a page, and moves the checkpoint, in one transaction.
    fn apply<'a>(&'a self, store: &'a S, work: Work<'a>) -> BoxFuture<'a, Result<Applied, Failed>>;
}

/// A page to apply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    /// The events, those without payloads included.
    pub(super) events: &'a [FeedEvent],
    /// The step of the checkpoint.
    pub(super) step: Step<'a>,
    /// How long the handler may take per event.
    pub(super) handler_timeout: Duration,
    /// The parked log that the events belong to: they are before the checkpoint, which stays where it is.
    pub(super) of_parked: Option<OfParked>,
}

/// The parked log that events belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfParked {
    /// The log.
    pub(super) log_id: LogId,
    /// Where it is parked.
    pub(super) at: u64,
    /// `true` if no event up to the checkpoint comes after these.
    pub(super) is_end: bool,
}

impl<'a> Work<'a> {
    /// Returns the work on the first events of this work.
    pub(super) fn first(self, events: usize) -> Self {
        Self {
            events: self.events.get(..events).unwrap_or(self.events),
            step: Step {
                to: self.step_to(events),
                ..self.step
            },
            of_parked: self.of_parked.map(|log| OfParked {
                is_end: log.is_end && events >= self.events.len(),
                ..log
            }),
            ..self
        }
    }

    /// Returns the work on the events after the first ones, which are settled.
    pub(super) fn rest(self, settled: usize) -> Self {
        Self {
            events: self.events.get(settled..).unwrap_or_default(),
            step: Step {
                from: self.step_to(settled),
                ..self.step
            },
            of_parked: self.of_parked.map(|log| OfParked {
                at: self.index_after(settled).unwrap_or(log.at),
                ..log
            }),
            ..self
        }
    }

    /// Returns where the checkpoint moves with this number of events.
    fn step_to(&self, events: usize) -> Cursor {
        if self.of_parked.is_some() {
            self.step.from
        } else {
            self.cursor_after(events)
        }
    }

    /// Returns the index after this number of events of one log.
    fn index_after(&self, events: usize) -> Option<u64> {
        let last = self.events.get(events.checked_sub(1)?)?;
        Some(last.index.saturating_add(1))
    }

    /// Returns what changes about the parked log that the events belong to, with this number of events.
    fn change(&self, done: usize) -> Option<ParkedChange<'static>> {
        let OfParked { log_id, at, is_end } = self.of_parked?;
        if is_end && done >= self.events.len() {
            return Some(ParkedChange::Free { log_id, at });
        }
        let to = self.index_after(done).unwrap_or(at);
        Some(ParkedChange::Advance { log_id, at, to })
    }

    /// Returns the events as a projection gets them.
    fn page(&self) -> EventPage<'a> {
        EventPage::between(self.step.from, self.events, self.step.to)
    }

    /// Returns the cursor after this number of events.
    pub(super) fn cursor_after(&self, events: usize) -> Cursor {
        self.page().cursor_after(events)
    }

    /// Returns the greatest number of events, at most this one, after which the checkpoint may be; `None` if there is none.
    pub(super) fn end_before(&self, events: usize) -> Option<usize> {
        let page = self.page();
        (1..=events).rev().find(|end| page.may_end_after(*end))
    }

    /// Returns how many of the first events have a payload.
    fn wanted(&self, events: usize) -> u64 {
        let events = self.events.iter().take(events);
        let wanted = events.filter(|event| event.payload.is_some());
        wanted.fold(0, |wanted, _| wanted + 1)
    }
}

/// A page was applied, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// All events up to this number are settled.
    Settled(usize),
    /// Another process has taken the lease; nothing was applied.
    LeaseLost,
}

/// An event that was not applied.
#[derive(Debug)]
pub(super) struct Culprit {
    /// The event.
    pub(super) event: FeedEvent,
    /// Where the checkpoint is. All wanted events between it and the event are settled.
    pub(super) from: Cursor,
    /// The place of the event, where the checkpoint moves if the event is passed over.
    pub(super) to: Cursor,
}

/// A page was not applied.
#[derive(Debug)]
pub(super) enum Failed {
    /// The event with this number was not handled. Nothing was applied.
    Event(usize, HandlerError),
    /// Some event was not handled, and it is not known which. Nothing was applied.
    Events(HandlerError),
    /// All events were handled, but the transaction was not committed.
    Settle(StoreError),
    /// The database failed before the first event was handled.
    Store(StoreError),
}

impl<S, P> Job<S> for P
where
    S: ProjectionStore<P::Database>,
    P: Projection,
{
    fn facts(&self) -> JobFacts {
        JobFacts {
            name: P::NAME,
            sources: P::SOURCES,
            create: P::CREATE,
            fingerprint: P::fingerprint(),
            one_partition: P::ONE_PARTITION,
        }
    }

    fn table(&self) -> Result<Option<RowTable>, RowError> {
        P::table()
    }

    fn apply<'a>(&'a self, store: &'a S, work: Work<'a>) -> BoxFuture<'a, Result<Applied, Failed>> {
        Box::pin(apply(self, store, work))
    }
}

async fn apply<S, P>(projection: &P, store: &S, work: Work<'_>) -> Result<Applied, Failed>
where
    S: ProjectionStore<P::Database>,
    P: Projection,
{
    let mut step = work.step;
    let transaction = store.begin(step.key.name, step.lease, work.handler_timeout);
    let transaction = transaction.await;
    let mut transaction = transaction.map_err(Failed::Store)?;
    let page = work.page().within(work.handler_timeout, S::TURN);
    let page = page.remembering(store.row_keys());
    let applied = projection.apply_page(&page, transaction.connection()).await;
    let done = match applied {
        Ok(done) => done.min(work.events.len()),
        Err(error) => {
            transaction.roll_back().await;
            return Err(error.into());
        }
    };
    step.handled += work.wanted(done);
    step.to = work.step_to(done);
    let change = work.change(done);
    step.parked = change.as_ref().or(step.parked);
    match transaction.settle(&step).await {
        Ok(true) => Ok(Applied::Settled(done)),
        Ok(false) => Ok(Applied::LeaseLost),
        Err(error) => Err(Failed::Settle(error)),
    }
}

impl From<PageError> for Failed {
    fn from(error: PageError) -> Self {
        match error {
            PageError::OneEvent(event, error) => Self::Event(event, error),
            PageError::SomeEvent(error) => Self::Events(error),
        }
    }
}

impl Failed {
    /// Returns `true` if the same page may succeed later, without a change of code or data.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Settle(error) | Self::Store(error) => match error {
                StoreError::Database { source } => passes(&**source),
                _ => true,
            },
            Self::Event(_, error) | Self::Events(error) => match error {
                HandlerError::Failed { source } => passes(&**source),
                HandlerError::Row(error) => passes(&**error),
                _ => false,
            },
        }
    }

    /// Returns how many events of the work may succeed without the others, which is less than all; `None` if nothing shows that
    /// fewer would.
    pub(super) fn good_part(&self, work: &Work<'_>) -> Option<usize> {
        let all = work.events.len();
        match self {
            Self::Event(failing, _) => work.end_before(*failing),
            // The database does not say which event it is, so it is looked for by halves.
            Self::Settle(_) | Self::Events(_) if !self.passes() => work
                .end_before(all / 2)
                .or_else(|| work.end_before(all.saturating_sub(1))),
            Self::Settle(_) | Self::Events(_) | Self::Store(_) => None,
        }
    }

    /// Returns the event of the work that was not applied, if it is known.
    pub(super) fn culprit(&self, work: &Work<'_>) -> Option<Box<Culprit>> {
        let (event, to) = match self {
            Self::Event(failing, _) => {
                let event = work.events.get(*failing)?;
                (event, event.cursor)
            }
            Self::Settle(_) | Self::Events(_) => {
                let mut wanted = work.events.iter().filter(|event| event.payload.is_some());
                let first = wanted.next()?;
                // The checkpoint cannot be between events of one gap. They belong to one log.
                if wanted.any(|event| event.log_id != first.log_id) {
                    return None;
                }
                (first, work.step.to)
            }
            Self::Store(_) => return None,
        };
        Some(Box::new(Culprit {
            event: event.clone(),
            from: work.step.from,
            to,
        }))
    }
}

/// Returns `true` if a page has an event to handle.
pub(super) fn has_work(page: &FeedPage) -> bool {
    page.events.iter().any(|event| event.payload.is_some())
}
