//! Decisions on any number of logs of one aggregate.

use crate::aggregate::Aggregate;
use crate::event::Event;
use crate::ids::{IntoLogId, LogId};
use crate::manager::LogManager;
use crate::manager::decide::across::decided::{DecidedAcross, DecidedLog};
use crate::manager::decide::across::run::{Asked, Decision};
use crate::manager::decide::across::slot::{LogSlot, Slot};
use crate::manager::decide::outcome::{DecisionOutcome, IntoEvents};
use crate::manager::error::DecideError;
use crate::manager::telemetry::labels::Operation;
use crate::manager::write_options::DecideOptions;
use crate::stores::error::invalid::InvalidAppend;
use std::sync::Arc;
use tracing::Instrument;

impl<A: Aggregate<Event: Event>> LogManager<A> {
    /// Decides on any number of logs of this manager, and appends the events to all of them or to none.
    ///
    /// The closure gets the aggregates in the order of the ids. It returns one entry per log, in the same order: one event, an
    /// `Option`, an array or a `Vec`. No event means that the decision only looks at that log. Otherwise this is a decision with
    /// [`across`](crate::across), whose [`decide`](crate::Across::decide) has the details.
    ///
    /// The number of logs and events is limited by
    /// [`max_events_per_append`](crate::stores::Limits::max_events_per_append).
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json", feature = "sqlite"))] {
    /// # use eventlogs::{Aggregate, Event, LogManager, LogManagerOptions, MemoryAggregationCache, SqliteEventStore, event_handler, ids::LogId};
    /// # #[derive(Debug, Event)] pub enum SeatEvent { #[event(name = "seat.offered")] Offered, #[event(name = "seat.taken")] Taken }
    /// # #[derive(Debug, Default, Clone, Aggregate)] #[aggregate(event = SeatEvent)] pub struct Seat { taken: bool }
    /// # #[event_handler(SeatEvent, ignore(Offered))] impl Seat {
    /// #     #[on(Taken)] fn take(&mut self) { self.taken = true; }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::DecideOptions;
    /// # let seats = LogManager::<Seat>::new(SqliteEventStore::in_memory().await?, MemoryAggregationCache::default(), LogManagerOptions::default());
    /// # let row = [LogId::new(), LogId::new(), LogId::new()];
    /// # for seat in row { seats.create(seat, &SeatEvent::Offered, &Default::default()).await?; }
    ///
    /// // All seats of a row, or none.
    /// let taken = seats.decide_each(row, DecideOptions::NONE, |seats: &[&Seat]| {
    ///     if seats.iter().any(|seat| seat.taken) { return Err("a seat is taken") }
    ///     Ok(seats.iter().map(|_| [SeatEvent::Taken]).collect::<Vec<_>>())
    /// });
    /// assert!(taken.await?.logs().iter().all(|seat| seat.aggregate().taken));
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`Invalid`](crate::LogManagerError::Invalid) if there are no logs, or if the closure does not return one list per log.
    /// - Those of [`Across::decide`](crate::Across::decide).
    pub async fn decide_each<I, D, O>(
        &self,
        log_ids: I,
        options: &DecideOptions,
        mut decision: D,
    ) -> Result<DecidedAcross<Vec<DecidedLog<A>>>, DecideError<O::Refusal>>
    where
        I: IntoIterator<Item: IntoLogId>,
        D: FnMut(&[&A]) -> O,
        O: DecisionOutcome<Events: IntoIterator<Item: IntoEvents<A::Event>>>,
    {
        let log_ids: Vec<LogId> = log_ids.into_iter().map(IntoLogId::into_log_id).collect();
        let measures = &self.inner.measures;
        let call = measures.begin(Operation::DecideEach);
        let span = tracing::info_span!("decide_each", aggregate = A::name(), logs = log_ids.len());
        let deciding = async {
            let create = options.create_if_missing;
            let slots = log_ids.iter();
            let slots: Vec<_> = slots
                .map(|log_id| LogSlot::new(self, *log_id, create, options))
                .collect();
            let replay = {
                let creatable = log_ids.iter().copied().filter(|_| create).collect();
                let metadata = self.complete(&options.metadata);
                let all: Vec<_> = slots.iter().map(|slot| slot as &dyn Slot<'_>).collect();
                let all = Decision::new(&all, options, metadata, creatable, measures)?;
                all.run(|| ask(&slots, &mut decision)).await?
            };
            let logs = slots.into_iter().map(LogSlot::into_decided);
            Ok(DecidedAcross {
                logs: logs.collect(),
                replay,
            })
        };
        call.end_decision(deciding.instrument(span).await, DecidedAcross::is_replay)
    }
}

/// Runs the closure, and distributes its events.
fn ask<A, O>(slots: &[LogSlot<'_, A>], decision: &mut impl FnMut(&[&A]) -> O) -> Asked<O::Refusal>
where
    A: Aggregate<Event: Event>,
    O: DecisionOutcome<Events: IntoIterator<Item: IntoEvents<A::Event>>>,
{
    let aggregates: Vec<Arc<A>> = slots.iter().map(LogSlot::aggregate).collect();
    let aggregates: Vec<&A> = aggregates.iter().map(|aggregate| &**aggregate).collect();
    let lists = match decision(&aggregates).into_result() {
        Ok(lists) => lists,
        Err(refusal) => return Asked::Refused(refusal),
    };
    let (mut some, mut given) = (false, 0);
    for list in lists {
        if let Some(slot) = slots.get(given) {
            some |= slot.decide(list);
        }
        given += 1;
    }
    if given != slots.len() {
        return Asked::Invalid(InvalidAppend::EventLists {
            logs: slots.len(),
            lists: given,
        });
    }
    if some { Asked::Events } else { Asked::Nothing }
}
