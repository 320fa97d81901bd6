//! A partition parks logs, passes over their events, and applies them when it is told to.

use crate::cursor::Cursor;
use crate::feed::event::FeedEvent;
use crate::feed::wanted::Wanted;
use crate::projection::checkpoint::{Checkpoint, CheckpointStore, Step};
use crate::projection::parked::{ParkedChange, ParkedEvent, ParkedLog, ParkedWish};
use crate::stores::error::store::StoreError;
use crate::subscriptions::follow::End;
use crate::subscriptions::job::{Applied, Culprit, Failed, OfParked, Work};
use crate::subscriptions::partition::{Failures, Partition};
use crate::subscriptions::run::ATTEMPTS;
use crate::subscriptions::telemetry;

/// How many events of a parked log are in memory at a time.
const PAGE: u64 = 100;
/// The greatest number of characters of an error that are stored.
const ERROR_CHARS: usize = 4000;

impl<S: CheckpointStore> Partition<S> {
    /// Leaves out the events of parked logs.
    pub(super) fn pass_over_parked(&self, events: &mut [FeedEvent]) {
        if self.parked.is_empty() {
            return;
        }
        for event in events {
            let is_passed_over =
                |log: &ParkedLog| log.log_id == event.log_id && log.event_index <= event.index;
            if self.parked.iter().any(is_passed_over) {
                event.payload = None;
                event.metadata = None;
            }
        }
    }

    /// Parks the log of an event that was tried often enough, or stops if too many logs are parked.
    pub(super) async fn park(
        &mut self,
        culprit: &Culprit,
        error: &str,
        reason: String,
        token: i64,
    ) {
        let parked = match self.store.parked(self.facts.name).await {
            Ok(parked) => parked.len(),
            Err(problem) => return self.pause_after(problem.to_string()).await,
        };
        if parked >= self.options.parked_limit {
            let reason = match parked {
                0 => reason,
                _ => format!(
                    "{reason}; {parked} logs are parked, and no more may be: correct the cause, and `retry` or `skip` them"
                ),
            };
            return self.stop(token, reason).await;
        }
        let event = &culprit.event;
        let error = stored_error(error);
        let change = ParkedChange::Park {
            log_id: event.log_id,
            event: ParkedEvent {
                index: event.index,
                event_type: &event.event_type,
                error: &error,
            },
            attempts: ATTEMPTS,
        };
        let applied = self.change([culprit.from, culprit.to], token, change).await;
        match applied {
            Ok(Applied::Settled(_)) => {
                tracing::error!(reason, "an event was not applied; its log is parked");
                self.failures = Failures::default();
                self.shared.attempted(None);
            }
            Ok(Applied::LeaseLost) => self.lost_lease(),
            Err(failed) if failed.passes() => self.pause_after(failed.described()).await,
            Err(failed) => self.stop(token, failed.described()).await,
        }
    }

    /// Changes a parked log, and moves the checkpoint.
    async fn change(
        &self,
        [from, to]: [Cursor; 2],
        token: i64,
        change: ParkedChange<'_>,
    ) -> Result<Applied, Failed> {
        let work = Work {
            step: Step {
                from,
                to,
                parked: Some(&change),
                ..self.standing(token)
            },
            ..self.nothing(token)
        };
        self.job.apply(&self.store, work).await
    }

    fn standing(&self, token: i64) -> Step<'static> {
        Step {
            key: self.key(),
            token,
            from: Cursor::START,
            to: Cursor::START,
            handled: 0,
            lease: self.lease,
            parked: None,
        }
    }

    fn nothing(&self, token: i64) -> Work<'static> {
        Work {
            events: &[],
            step: self.standing(token),
            handler_timeout: self.options.handler_timeout,
            of_parked: None,
        }
    }

    /// Reads the parked logs after the lease was taken, and does with them what is wished. Returns the end, if it comes to one.
    pub(super) async fn look_at_parked(&mut self, checkpoint: Checkpoint) -> Option<End> {
        loop {
            match self.read_parked().await {
                Ok(parked) => self.parked = parked,
                Err(error) => return Some(End::Failed(Failed::Store(error), None)),
            }
            let mut wished = self.parked.iter().filter(|log| log.wish.is_some());
            let Some(log) = wished.next().cloned() else {
                break;
            };
            let control = *self.control.borrow();
            if control.is_over || control.is_paused {
                return Some(End::Told);
            }
            let end = self.fulfil(&log, checkpoint).await;
            if end.is_some() {
                return end;
            }
        }
        let parked = self.parked.iter().map(|log| (log.log_id, log.event_index));
        self.shared.set_parked(parked.collect());
        None
    }

    /// Reads the parked logs of this partition.
    async fn read_parked(&self) -> Result<Vec<ParkedLog>, StoreError> {
        let key = self.key();
        let slices = Wanted::all().in_partition(key.partition, key.partitions);
        let mut parked = self.store.parked(key.name).await?;
        parked.retain(|log| slices.includes_log(log.log_id, 0));
        Ok(parked)
    }

    /// Does what is wished, or the first part of it. Returns the end, if it comes to one.
    async fn fulfil(&mut self, log: &ParkedLog, checkpoint: Checkpoint) -> Option<End> {
        let (log_id, at) = (log.log_id, log.event_index);
        if let Some(ParkedWish::Skip { by }) = &log.wish {
            let change = ParkedChange::Skip { log_id, at, by };
            let end = self.changed(checkpoint, change).await;
            if end.is_none() {
                tracing::warn!(%log_id, index = at, by, "an event is skipped");
            }
            return end;
        }
        let wanted = Wanted::of(self.facts.sources);
        let indices = at..at.saturating_add(PAGE);
        let mut events = match self.store.read_gap(log_id, indices, &wanted).await {
            Ok(events) => events,
            Err(error) => return Some(End::Failed(Failed::Store(error), None)),
        };
        // What comes after the checkpoint comes with the feed.
        let is_before = |event: &FeedEvent| event.cursor.place() <= checkpoint.cursor.place();
        let before = events
            .iter()
            .rposition(is_before)
            .map_or(0, |last| last + 1);
        events.truncate(before);
        let work = Work {
            events: &events,
            step: Step {
                from: checkpoint.cursor,
                to: checkpoint.cursor,
                ..self.standing(checkpoint.token)
            },
            of_parked: Some(OfParked {
                log_id,
                at,
                is_end: (events.len() as u64) < PAGE,
            }),
            ..self.nothing(checkpoint.token)
        };
        self.apply_parked(work, checkpoint).await
    }

    /// Applies events of a parked log, in one transaction or in several. Returns the end, if it comes to one.
    async fn apply_parked(&mut self, mut work: Work<'_>, checkpoint: Checkpoint) -> Option<End> {
        let mut most = usize::MAX;
        loop {
            let part = work.first(most.min(work.events.len()));
            let failed = match self.job.apply(&self.store, part).await {
                Ok(Applied::Settled(done)) if done >= work.events.len() => {
                    self.failures = Failures::default();
                    return None;
                }
                Ok(Applied::Settled(done)) => {
                    work = work.rest(done);
                    most = usize::MAX;
                    continue;
                }
                Ok(Applied::LeaseLost) => return Some(End::LeaseLost),
                Err(failed) => failed,
            };
            if failed.passes() {
                return Some(End::Failed(failed, None));
            }
            if let Some(fewer) = failed.good_part(&part) {
                most = fewer;
                continue;
            }
            let (Some(culprit), Some(log)) = (failed.culprit(&part), part.of_parked) else {
                return Some(End::Failed(failed, None));
            };
            let error = stored_error(&failed.described());
            let change = ParkedChange::Fail {
                log_id: log.log_id,
                at: log.at,
                event: ParkedEvent {
                    index: culprit.event.index,
                    event_type: &culprit.event.event_type,
                    error: &error,
                },
            };
            telemetry::not_applied(self.facts.name, failed.handler_error());
            tracing::error!(log_id = %log.log_id, error, "a parked log has failed again");
            return self.changed(checkpoint, change).await;
        }
    }

    /// Changes a parked log while the checkpoint stays where it is. Returns the end, if it comes to one.
    async fn changed(&self, checkpoint: Checkpoint, change: ParkedChange<'_>) -> Option<End> {
        let place = [checkpoint.cursor; 2];
        match self.change(place, checkpoint.token, change).await {
            Ok(Applied::Settled(_)) => None,
            Ok(Applied::LeaseLost) => Some(End::LeaseLost),
            Err(failed) => Some(End::Failed(failed, None)),
        }
    }
}

/// Returns an error as a database can store it.
fn stored_error(error: &str) -> String {
    let stored = |char| if char == '\0' { '\u{fffd}' } else { char };
    error.chars().take(ERROR_CHARS).map(stored).collect()
}
