//! Records as a store would return them, without a store.

use crate::aggregate::Aggregate;
use crate::ids::{EventId, LogId};
use crate::record::{EventRecord, RecordedEvent};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::fmt::Debug;
use uuid::{Builder, Uuid};

/// Time at which the first event is recorded, unless a test sets it: 2026-01-01T00:00:00Z.
pub(in crate::testing) const START: TimeDelta = TimeDelta::seconds(1_767_225_600);
/// Time between one event and the next.
const STEP: TimeDelta = TimeDelta::seconds(1);

/// The events of one log.
#[derive(Debug)]
pub(in crate::testing) struct History<E> {
    /// The id of the log.
    log_id: LogId,
    /// All of its events.
    records: Vec<RecordedEvent<E>>,
    /// Index of the first of the events that were added last; their times can still be set.
    last_batch: usize,
}

impl<E> Default for History<E> {
    fn default() -> Self {
        Self {
            log_id: LogId::from_uuid(uuid_v7(START, 0)),
            records: Vec::new(),
            last_batch: 0,
        }
    }
}

impl<E> History<E> {
    /// Creates a history of these records, or returns what is wrong with them.
    pub(super) fn from_records(records: Vec<RecordedEvent<E>>) -> Result<Self, String> {
        let Some(first) = records.first() else {
            return Ok(Self::default());
        };
        let (log_id, mut last_time) = (first.log_id(), first.recorded_at());
        for (expected, record) in (0..).zip(&records) {
            if record.index() != expected {
                return Err(format!(
                    "a log has no gaps: the record in position {expected} has the index {}",
                    record.index()
                ));
            }
            if record.log_id() != log_id {
                return Err(format!(
                    "the records belong to two logs, {log_id} and {}",
                    record.log_id()
                ));
            }
            if record.recorded_at() < last_time {
                return Err(falling(record.recorded_at(), last_time));
            }
            last_time = record.recorded_at();
        }
        Ok(Self {
            log_id,
            records,
            last_batch: 0,
        })
    }

    /// Adds events.
    pub(in crate::testing) fn push(&mut self, events: impl IntoIterator<Item = E>) {
        self.last_batch = self.records.len();
        for event in events {
            let recorded_at = match self.records.last() {
                Some(last) => next_time(last.recorded_at()),
                None => DateTime::UNIX_EPOCH + START,
            };
            let index = self.records.len() as u64;
            let event_id = EventId::from_uuid(uuid_v7(
                recorded_at.signed_duration_since(DateTime::UNIX_EPOCH),
                index + 1,
            ));
            self.records.push(RecordedEvent::new(
                self.log_id,
                index,
                event_id,
                event,
                recorded_at,
            ));
        }
    }

    /// Sets the time at which the events added last were recorded.
    pub(super) fn set_recorded_at(&mut self, time: DateTime<Utc>) -> Result<(), String> {
        let time = time.trunc_subsecs(6);
        let before = self.records[..self.last_batch].last();
        if let Some(before) = before.filter(|before| time < before.recorded_at()) {
            return Err(falling(time, before.recorded_at()));
        }
        self.change_last_batch(|record| record.with_recorded_at(time))
    }

    /// Sets the time at which the events added last occurred.
    pub(super) fn set_occurred_at(&mut self, time: DateTime<Utc>) -> Result<(), String> {
        let time = time.trunc_subsecs(6);
        self.change_last_batch(|record| record.with_occurred_at(Some(time)))
    }

    fn change_last_batch(
        &mut self,
        change: impl Fn(RecordedEvent<E>) -> RecordedEvent<E>,
    ) -> Result<(), String> {
        let batch = self.records.split_off(self.last_batch);
        if batch.is_empty() {
            return Err("there is no event whose time can be set; give one first".to_owned());
        }
        self.records.extend(batch.into_iter().map(change));
        Ok(())
    }

    /// Returns all events.
    pub(in crate::testing) fn records(&self) -> &[RecordedEvent<E>] {
        &self.records
    }

    /// Returns the events that were added last.
    pub(super) fn last_batch(&self) -> &[RecordedEvent<E>] {
        &self.records[self.last_batch..]
    }

    /// Returns the state after all events, reduced from the start.
    pub(in crate::testing) fn fold<A: Aggregate<Event = E>>(&self) -> A {
        let mut aggregate = A::default();
        apply_all(&mut aggregate, &self.records);
        aggregate
    }
}

/// Applies the records in their order.
pub(in crate::testing) fn apply_all<A: Aggregate>(
    aggregate: &mut A,
    records: &[RecordedEvent<A::Event>],
) {
    for record in records {
        aggregate.apply(record);
    }
}

/// Returns the time one second later, or `last` itself at the end of the calendar.
pub(in crate::testing) fn next_time(last: DateTime<Utc>) -> DateTime<Utc> {
    last.checked_add_signed(STEP).unwrap_or(last)
}

/// Returns what is wrong with a time before that of the event before.
pub(in crate::testing) fn falling(time: DateTime<Utc>, before: DateTime<Utc>) -> String {
    format!(
        "recorded_at never falls along a log, but {time} comes after an event that was recorded at {before}"
    )
}

/// Returns a UUID of version 7 that is equal in every run.
pub(in crate::testing) fn uuid_v7(since_epoch: TimeDelta, number: u64) -> Uuid {
    let millis = u64::try_from(since_epoch.num_milliseconds()).unwrap_or_default();
    let mut rest = [0; 10];
    rest[2..].copy_from_slice(&number.to_be_bytes());
    Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}
