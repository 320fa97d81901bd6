//! The steps of a decision on several logs, without the types of their aggregates.
//!
//! It takes the steps of a decision on one log, with all logs at the same time. Two things differ. The turns of several logs
//! are taken in the order of the ids, so that two decisions never wait for each other. And before a result without events is
//! reported, the store compares the ends of all logs in one snapshot: states that were read one after another need never have
//! been true together.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::manager::deadline;
use crate::manager::decide::across::slot::Slot;
use crate::manager::decide::attempts::Attempts;
use crate::manager::error::{DecideError, LogManagerError};
use crate::manager::telemetry::Measures;
use crate::manager::write_options::DecideOptions;
use crate::metadata::Metadata;
use crate::shared_error::SharedError;
use crate::stores::appends::{AppendAcrossRequest, Appends};
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::{IdempotencyScope, Replay};
use crate::time_box;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use std::collections::HashSet;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::MutexGuard;

/// The number of times that the logs are read again because one of them had moved, before the call gives up.
const MAX_READS: u32 = 100;

/// The number of reads without a pause. A log that moves more often is written to by other processes all the time.
const QUICK_READS: u32 = 3;

/// The store's answer to the write.
type Answer = Result<Vec<LogPosition>, AppendError>;

/// What the closure has returned. Its events are in the slots.
pub(super) enum Asked<R> {
    /// Events for at least one log.
    Events,
    /// No events.
    Nothing,
    /// A refusal.
    Refused(R),
    /// Something that no store accepts.
    Invalid(InvalidAppend),
}

/// A decision on several logs.
pub(super) struct Decision<'s, 'a> {
    /// The first log, whose manager calls the store for all.
    first: &'s dyn Slot<'a>,
    /// The logs, in the order of the call.
    slots: &'s [&'s dyn Slot<'a>],
    /// The same logs, in the order of their ids.
    sorted: Vec<&'s dyn Slot<'a>>,
    /// The options of the call.
    options: &'a DecideOptions,
    /// The metadata of the events, completed once for all attempts.
    metadata: Metadata,
    /// The ids of the logs that may be created.
    creatable: HashSet<LogId>,
    /// The metrics.
    measures: &'a Measures,
}

/// The result of one turn.
enum Step<'a, R> {
    /// The states of some logs are not known yet.
    NeedsStates,
    /// The state after a decision in flight is not available yet.
    Waits(BoxFuture<'static, ()>),
    /// The events were handed over to the store.
    Sent(Polled<'a>),
    /// There are no events. `confirmed`: on states that were true together.
    Nothing { confirmed: bool },
    /// The closure refused.
    Refused { refusal: R, confirmed: bool },
    /// The closure returned something that no store accepts.
    Invalid(InvalidAppend),
}

/// A write that has been polled once.
enum Polled<'a> {
    /// The store has answered.
    Ready(Answer),
    /// The store has queued the events, or has no room for them yet.
    Pending(BoxFuture<'a, Answer>),
}

/// The result of the turns of an attempt.
enum Turned<'a> {
    /// Events were handed over to the store.
    Sent(Polled<'a>),
    /// There was nothing to send, or the key was used before.
    Over(Vec<Replay>),
}

impl<'s, 'a> Decision<'s, 'a> {
    /// Prepares a decision.
    ///
    /// # Errors
    /// - [`InvalidAppend`] if the logs or the options do not fit together.
    pub(super) fn new(
        slots: &'s [&'s dyn Slot<'a>],
        options: &'a DecideOptions,
        metadata: Metadata,
        creatable: HashSet<LogId>,
        measures: &'a Measures,
    ) -> Result<Self, LogManagerError> {
        let Some(&first) = slots.first() else {
            return Err(LogManagerError::Invalid(InvalidAppend::NoLogs));
        };
        let mut seen = HashSet::new();
        for slot in slots {
            let log_id = slot.log_id();
            if slot.store_id() != first.store_id() {
                return Err(LogManagerError::Invalid(InvalidAppend::OtherStore {
                    log_id,
                }));
            }
            if !seen.insert(log_id) {
                return Err(LogManagerError::Invalid(InvalidAppend::LogTwice { log_id }));
            }
        }
        let is_keyed = options.idempotency_key.is_some();
        if is_keyed && options.idempotency_scope == IdempotencyScope::Log {
            return Err(LogManagerError::Invalid(InvalidAppend::KeyOfOneLog));
        }
        if options.expected_index.is_some() {
            return Err(LogManagerError::Invalid(InvalidAppend::ExpectedIndex));
        }
        let mut sorted = slots.to_vec();
        sorted.sort_by_key(|slot| slot.log_id());
        let decision = Self {
            first,
            slots,
            sorted,
            options,
            metadata,
            creatable,
            measures,
        };
        decision
            .request()
            .context
            .check()
            .map_err(LogManagerError::Invalid)?;
        Ok(decision)
    }

    /// Decides, and returns the earlier write if the key was used before; otherwise an empty vector. The results are in the
    /// slots.
    pub(super) async fn run<R>(
        &self,
        mut ask: impl FnMut() -> Asked<R>,
    ) -> Result<Vec<Replay>, DecideError<R>> {
        let mut attempts = Attempts::new(self.options.max_attempts);
        let mut confirmed = false;
        loop {
            let write = match self.until_sent(&mut confirmed, &mut ask).await? {
                Turned::Sent(write) => write,
                Turned::Over(replay) => return Ok(replay),
            };
            let answer = match write {
                Polled::Ready(answer) => answer,
                Polled::Pending(write) => write.await,
            };
            match answer {
                Ok(_) => {
                    self.measures.decided(attempts.made);
                    self.conclude().await?;
                    return Ok(Vec::new());
                }
                Err(AppendError::Replay(found)) => {
                    let parts = self.used().await?;
                    // Without parts, the key was pruned meanwhile.
                    let parts = if parts.is_empty() { vec![found] } else { parts };
                    return Ok(self.replay_of(parts).await?);
                }
                Err(
                    error @ (AppendError::Conflict { log_id, .. }
                    | AppendError::LogAlreadyExists { log_id }
                    | AppendError::LogNotFound { log_id }),
                ) => {
                    let outdated = self.slots.iter().any(|slot| slot.was_outdated());
                    for slot in self.slots {
                        slot.take_back(log_id);
                    }
                    if !attempts.again(outdated).await {
                        self.measures.decided(attempts.made);
                        return Err(self.measures.counted(error.into()).into());
                    }
                    self.confirm().await?;
                    confirmed = true;
                }
                Err(error) => return Err(LogManagerError::from(error).into()),
            }
        }
    }

    /// Takes turns until events are handed over to the store, or until it is certain that there are none to hand over.
    async fn until_sent<R>(
        &self,
        confirmed: &mut bool,
        ask: &mut impl FnMut() -> Asked<R>,
    ) -> Result<Turned<'a>, DecideError<R>> {
        loop {
            let turns = self.turns().await?;
            // It is ready on the first poll: no turn is held across an await from here on.
            let step = poll_fn(|context| Poll::Ready(self.take_turns(context, *confirmed, ask)));
            let step = step.await;
            drop(turns);
            match step {
                Step::NeedsStates => {
                    let loads = self.slots.iter().map(|slot| slot.load());
                    self.in_time(try_join_all(loads)).await?;
                }
                Step::Waits(free) => self.in_time(free.map(Ok)).await?,
                Step::Sent(write) => return Ok(Turned::Sent(write)),
                Step::Invalid(invalid) => return Err(LogManagerError::Invalid(invalid).into()),
                Step::Nothing { confirmed: false }
                | Step::Refused {
                    confirmed: false, ..
                } => {
                    self.confirm().await?;
                    *confirmed = true;
                }
                Step::Nothing { confirmed: true } => {
                    let replay = self.used().await?;
                    if replay.is_empty() {
                        self.slots.iter().for_each(|slot| slot.keep());
                        return Ok(Turned::Over(replay));
                    }
                    return Ok(Turned::Over(self.replay_of(replay).await?));
                }
                Step::Refused { refusal, .. } => {
                    let replay = self.used().await?;
                    if replay.is_empty() {
                        return Err(DecideError::Refused(refusal));
                    }
                    return Ok(Turned::Over(self.replay_of(replay).await?));
                }
            }
        }
    }

    /// Waits for the turns of all logs. A call that has the turn of one log waits only for logs with greater ids, so calls never
    /// wait for each other in a circle.
    async fn turns(&self) -> Result<Vec<MutexGuard<'_, ()>>, LogManagerError> {
        let passed = |deadline| deadline <= Instant::now();
        if self.options.deadline.is_some_and(passed) {
            return Err(StoreError::DeadlineExceeded.into());
        }
        let turns = async {
            let mut turns = Vec::with_capacity(self.sorted.len());
            for slot in &self.sorted {
                turns.push(slot.turn().await);
            }
            Ok(turns)
        };
        self.in_time(turns).await
    }

    /// Runs the closure and hands its events over to the store, without an await. To be called with all turns.
    fn take_turns<R>(
        &self,
        context: &mut Context<'_>,
        confirmed: bool,
        ask: &mut impl FnMut() -> Asked<R>,
    ) -> Step<'a, R> {
        let mut in_flight = false;
        for slot in self.slots {
            match slot.look() {
                Ok(found) => in_flight |= found,
                Err(wait) => return Step::Waits(wait),
            }
        }
        if confirmed {
            self.slots.iter().for_each(|slot| slot.choose_known());
            match ask() {
                // Writes that other calls have handed over meanwhile come first: the closure has to see them as well.
                Asked::Events if in_flight => {}
                asked => return self.step(context, asked, true),
            }
        }
        // Not `all`, which would stop at the first: each slot has to choose.
        let without = self.slots.iter().filter(|slot| !slot.choose_newest());
        if without.count() > 0 {
            return Step::NeedsStates;
        }
        let asked = ask();
        self.step(context, asked, false)
    }

    fn step<R>(&self, context: &mut Context<'_>, asked: Asked<R>, confirmed: bool) -> Step<'a, R> {
        match asked {
            Asked::Events => Step::Sent(self.send(context)),
            Asked::Nothing => Step::Nothing { confirmed },
            Asked::Refused(refusal) => Step::Refused { refusal, confirmed },
            Asked::Invalid(invalid) => Step::Invalid(invalid),
        }
    }

    /// Hands the events over to the store, and lets later decisions build on them if the store supports that.
    fn send(&self, context: &mut Context<'_>) -> Polled<'a> {
        let mut request = self.request();
        request.parts = self.slots.iter().map(|slot| slot.part()).collect();
        let mut write = self.first.append_across(request);
        let write = match write.as_mut().poll(context) {
            Poll::Ready(answer) => Polled::Ready(answer),
            Poll::Pending => Polled::Pending(write),
        };
        self.slots.iter().for_each(|slot| slot.hand_over());
        write
    }

    /// Makes the request for the store, without its parts.
    fn request(&self) -> AppendAcrossRequest<'a> {
        let mut request = AppendAcrossRequest::new(Appends::new());
        // A key that is scoped to one log is refused before.
        let first = self.first.log_id();
        request.context = self.options.context(first, self.metadata.clone());
        request
    }

    /// Brings the states to a point in time at which all of them were true together. Only logs that have moved are read.
    async fn confirm(&self) -> Result<(), LogManagerError> {
        self.in_time(try_join_all(self.slots.iter().map(|slot| slot.settle())))
            .await?;
        let log_ids: Vec<_> = self.slots.iter().map(|slot| slot.log_id()).collect();
        for read in 0.. {
            let ends = self.ends(log_ids.clone()).await?;
            let slots = self.slots.iter().zip(ends);
            let moved = slots.filter(|(slot, end)| slot.end() != *end);
            let moved: Vec<_> = moved.map(|(slot, _)| slot).collect();
            let Some(first) = moved.first() else {
                return Ok(());
            };
            if read == MAX_READS {
                let error = LogManagerError::ConcurrentAppend {
                    log_id: first.log_id(),
                    event_index: first.end().map_or(0, |end| end.index().saturating_add(1)),
                };
                return Err(self.measures.counted(error));
            }
            if read >= QUICK_READS {
                let pause = Duration::from_micros(fastrand::u64(0..2_000));
                self.in_time(time_box::pause(pause).map(Ok)).await?;
            }
            self.in_time(try_join_all(moved.iter().map(|slot| slot.catch_up())))
                .await?;
        }
        Ok(())
    }

    async fn ends(&self, log_ids: Vec<LogId>) -> Result<Vec<Option<LogPosition>>, LogManagerError> {
        Ok(deadline::in_time(self.options.deadline, self.first.ends(log_ids)).await?)
    }

    /// Computes the states after the decision. From here on no error may say that nothing was written.
    async fn conclude(&self) -> Result<(), LogManagerError> {
        let mut failed: Option<(&dyn Slot<'a>, SharedError)> = None;
        for slot in self.slots {
            if let Err(error) = slot.conclude().await {
                failed.get_or_insert((*slot, error));
            }
        }
        let Some((slot, source)) = failed else {
            return Ok(());
        };
        // A log that was only looked at has no events to name: another one has.
        let slots = std::iter::once(&slot).chain(self.slots);
        let mut written = slots.filter_map(|slot| Some((slot.log_id(), slot.written()?)));
        Err(match written.next() {
            Some((log_id, written)) => LogManagerError::StoredWithoutState {
                log_id,
                event_index: written.first_index,
                event_count: written.event_count,
                source,
            },
            None => StoreError::OutcomeUnknown {
                source: Some(source),
            }
            .into(),
        })
    }

    /// Returns the earlier write that used the key, if there is one.
    async fn used(&self) -> Result<Vec<Replay>, LogManagerError> {
        match self.options.key(self.first.log_id()) {
            Some(key) => {
                Ok(deadline::in_time(self.options.deadline, self.first.find_key(key)).await?)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Makes the result of a decision whose key was used before, by the write with these parts.
    async fn replay_of(&self, parts: Vec<Replay>) -> Result<Vec<Replay>, LogManagerError> {
        if let Some(other) = self.other_operation(&parts) {
            return Err(LogManagerError::reused(other));
        }
        self.measures.replayed();
        let replays = self.slots.iter().map(|slot| {
            let part = parts.iter();
            let mut part = part.filter(|part| part.state.log_id() == slot.log_id());
            slot.replay(part.next().copied())
        });
        self.in_time(try_join_all(replays)).await?;
        Ok(parts)
    }

    /// Returns a part of the earlier write if that was another operation: it wrote to a log that is not one of this call, or
    /// had another fingerprint. A log to be created may have another id in each attempt, because the caller may make a new one.
    fn other_operation(&self, parts: &[Replay]) -> Option<Replay> {
        let fingerprint = self.options.request_fingerprint;
        let mut unused = self.creatable.clone();
        let mut unknown = Vec::new();
        for part in parts {
            if part.is_of_another_request(fingerprint) {
                return Some(*part);
            }
            let log_id = part.state.log_id();
            unused.remove(&log_id);
            if self.slots.iter().all(|slot| slot.log_id() != log_id) {
                unknown.push(*part);
            }
        }
        unknown.into_iter().nth(unused.len())
    }

    /// Limits work that writes nothing to the deadline.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, LogManagerError>>,
    ) -> Result<T, LogManagerError> {
        deadline::in_time(self.options.deadline, work).await
    }
}
