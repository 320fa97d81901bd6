//! The logs and idempotency keys of a fake, for plain and for encoded events.

use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::error::{AppendError, ReadError};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::page::{Page, ReadRequest, ReadStart};
use crate::stores::request::Expected;
use crate::stores::times::stored_time;
use crate::stores::write::WriteContext;
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// All logs and keys.
pub(super) struct State<E> {
    /// The events of each log; none of the vectors is empty.
    pub(super) logs: BTreeMap<LogId, Vec<RecordedEvent<E>>>,
    /// The log and the index of each event, in the order of the writes.
    pub(super) feed: Vec<(LogId, u64)>,
    /// The writes of each used key, by the scope of the key and the key.
    keys: HashMap<(Option<LogId>, String), Vec<Replay>>,
}

/// The events for one log, or a log that is only required.
pub(super) struct Part<'a, E> {
    /// The log.
    pub(super) log_id: LogId,
    /// Where the caller expects the log to end.
    pub(super) expected: Expected,
    /// One id per event.
    pub(super) event_ids: &'a [EventId],
    /// The events.
    pub(super) events: &'a [E],
}

impl<E> Clone for Part<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Part<'_, E> {}

impl<E> State<E> {
    /// Makes a state without logs.
    pub(super) fn new() -> Self {
        Self {
            logs: BTreeMap::new(),
            feed: Vec::new(),
            keys: HashMap::new(),
        }
    }

    /// Returns the number of logs.
    pub(super) fn len(&self) -> usize {
        self.logs.len()
    }

    /// Forgets the keys that were used longer ago than this, and returns how many they were.
    pub(super) fn prune(&mut self, older_than: Duration) -> u64 {
        let before = self.keys.len();
        let age = chrono::Duration::from_std(older_than).unwrap_or(chrono::Duration::MAX);
        if let Some(since) = Utc::now().checked_sub_signed(age) {
            let young = |replay: &Replay| replay.recorded_at >= since;
            self.keys.retain(|_, replays| replays.iter().all(young));
        }
        (before - self.keys.len()) as u64
    }

    /// Returns the events of a log; none if it does not exist.
    pub(super) fn log(&self, log_id: LogId) -> &[RecordedEvent<E>] {
        self.logs.get(&log_id).map_or(&[], Vec::as_slice)
    }

    /// Returns an event of a log.
    pub(super) fn event(&self, log_id: LogId, index: u64) -> Option<&RecordedEvent<E>> {
        self.log(log_id).get(usize::try_from(index).ok()?)
    }

    /// Returns the ends of logs.
    pub(super) fn ends(&self, log_ids: &[LogId]) -> Vec<Option<LogPosition>> {
        let ends = log_ids.iter().map(|log_id| {
            let last = self.log(*log_id).last()?;
            Some(LogPosition::new(*log_id, last.index(), last.event_id()))
        });
        ends.collect()
    }

    /// Returns the writes that used a key, one per log.
    pub(super) fn used(&self, key: IdempotencyKey<'_>) -> &[Replay] {
        let replays = self.keys.get(&(key.scope, key.key.to_owned()));
        replays.map_or(&[], Vec::as_slice)
    }

    /// Returns the stored events of this part, if all of them are stored under their own ids.
    pub(super) fn stored(&self, part: &Part<'_, E>) -> Option<&[RecordedEvent<E>]> {
        let first = usize::try_from(part.expected.next_index()).ok()?;
        let end = first.checked_add(part.event_ids.len())?;
        let stored = self.log(part.log_id).get(first..end)?;
        let ids = stored.iter().map(EventRecord::event_id);
        ids.eq(part.event_ids.iter().copied()).then_some(stored)
    }
}

impl<E: Clone> State<E> {
    /// Writes all parts or none, and returns the recorded time of the first. Nothing is written if a required log has moved.
    pub(super) fn write(
        &mut self,
        parts: &[Part<'_, E>],
        required: &[Part<'_, E>],
        context: &WriteContext<'_>,
    ) -> Result<DateTime<Utc>, AppendError> {
        // An earlier attempt of the same write stored all of it.
        let own = parts.first().and_then(|part| self.stored(part)?.last());
        if let Some(own) = own {
            return Ok(own.recorded_at());
        }
        if let Some(replay) = context
            .idempotency_key
            .and_then(|key| self.used(key).first())
        {
            return Err(AppendError::Replay(*replay));
        }
        for part in parts {
            check_end(self.log(part.log_id), part)?;
        }
        for part in required {
            let moved = |_| conflict(part);
            check_end(self.log(part.log_id), part).map_err(moved)?;
        }
        let replays: Vec<_> = parts
            .iter()
            .map(|part| self.extend(part, context))
            .collect();
        if let Some(key) = context.idempotency_key {
            let key = (key.scope, key.key.to_owned());
            self.keys.insert(key, replays.clone());
        }
        Ok(replays
            .first()
            .map_or_else(Utc::now, |first| first.recorded_at))
    }

    /// Stores the events of a part, and returns the replay for later writes with the same key.
    fn extend(&mut self, part: &Part<'_, E>, context: &WriteContext<'_>) -> Replay {
        // Whole microseconds, as databases keep them, and never earlier than the event before.
        let now = Utc::now().trunc_subsecs(6);
        let log = self.logs.entry(part.log_id).or_default();
        let recorded_at = log.last().map_or(now, |last| now.max(last.recorded_at()));
        let occurred_at = context.occurred_at.map(stored_time);
        let metadata = Arc::new(context.metadata.clone());
        let first_index = part.expected.next_index();
        let places = part.event_ids.iter().zip(first_index..);
        log.extend(part.events.iter().zip(places).map(|(event, (id, index))| {
            RecordedEvent::new(part.log_id, index, *id, event.clone(), recorded_at)
                .with_occurred_at(occurred_at)
                .with_metadata(Arc::clone(&metadata))
        }));
        let indices = (first_index..).take(part.events.len());
        self.feed.extend(indices.map(|index| (part.log_id, index)));
        Replay {
            first_index,
            event_count: part.event_ids.len() as u64,
            state: part.expected.state_after(part.log_id, part.event_ids),
            recorded_at,
            request_fingerprint: context
                .idempotency_key
                .and_then(|key| key.request_fingerprint),
        }
    }

    pub(super) fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        let log = self.log(request.log_id);
        let first = match request.start {
            ReadStart::Index(index) => index,
            ReadStart::After(state) => {
                if !holds(log, state.index(), state.event_id()) {
                    return Err(ReadError::HistoryChanged {
                        log_id: request.log_id,
                        index: state.index(),
                    });
                }
                state.index().saturating_add(1)
            }
        };
        let rest = usize::try_from(first)
            .ok()
            .and_then(|first| log.get(first..))
            .unwrap_or_default();
        let page = &rest[..rest.len().min(request.limit)];
        Ok(Page {
            records: page.to_vec(),
            more: page.len() < rest.len(),
        })
    }
}

/// Refuses a part if the log does not end where the part expects.
fn check_end<E>(log: &[RecordedEvent<E>], part: &Part<'_, E>) -> Result<(), AppendError> {
    let log_id = part.log_id;
    match part.expected {
        Expected::NewLog if log.is_empty() => Ok(()),
        Expected::NewLog => Err(AppendError::LogAlreadyExists { log_id }),
        Expected::After(_) if log.is_empty() => Err(AppendError::LogNotFound { log_id }),
        Expected::After(position) => {
            let (index, event_id) = (position.index(), position.event_id());
            let is_last = index.checked_add(1) == Some(log.len() as u64);
            if is_last && holds(log, index, event_id) {
                Ok(())
            } else {
                Err(conflict(part))
            }
        }
    }
}

/// Returns the error for a log that does not end where a part expects.
fn conflict<E>(part: &Part<'_, E>) -> AppendError {
    AppendError::Conflict {
        log_id: part.log_id,
        event_index: part.expected.next_index(),
    }
}

/// Returns `true` if the log has this event. If the id is not known, any event at the index counts.
fn holds<E>(log: &[RecordedEvent<E>], index: u64, event_id: Option<EventId>) -> bool {
    let stored = usize::try_from(index).ok().and_then(|index| log.get(index));
    stored.is_some_and(|stored| event_id.is_none_or(|id| id == stored.event_id()))
}
