//! A store for tests: values in memory, the same promises as a database.

use super::{
    AppendError, AppendManyRequest, AppendRequest, Appended, EventStore, Expected, IdempotencyKey,
    InvalidAppend, Limits, Page, ReadError, ReadRequest, ReadStart, Replay, StoreError,
};
use crate::ids::{EventId, LogId};
use crate::{EventRecord, LogState, Metadata, RecordedEvent};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Keeps events as plain values in this process's memory, for unit tests without a database.
///
/// It passes the same conformance suite as the databases. A clone is another handle on the same logs. Events only need
/// to be `Clone`; nothing is encoded, so it cannot tell whether an event would survive its codec. It keeps one event enum, so
/// an append to several logs must be of that one.
///
/// It answers at once, so it needs no runtime and no timers, and it is the one store that works under paused time
/// (`#[tokio::test(start_paused = true)]`).
pub struct FakeEventStore<E> {
    /// Shared by all clones. No call waits while it holds the lock.
    state: Arc<Mutex<State<E>>>,
    /// What an append may hold.
    limits: Limits,
}

/// All logs and keys.
struct State<E> {
    /// The events of each log; none of the vectors is empty.
    logs: HashMap<LogId, Vec<RecordedEvent<E>>>,
    /// What each used key wrote, by the log that it is unique in, if it is not so among all.
    keys: HashMap<(Option<LogId>, String), Vec<Replay>>,
}

impl<E> FakeEventStore<E> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// An empty store with other limits.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        let state = State {
            logs: HashMap::new(),
            keys: HashMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            limits,
        }
    }

    /// A panic of another test thread cannot have left the state half-changed: all checks come before the first change.
    fn state(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Default for FakeEventStore<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for FakeEventStore<E> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            limits: self.limits,
        }
    }
}

impl<E> fmt::Debug for FakeEventStore<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FakeEventStore")
            .field("logs", &self.state().logs.len())
            .finish_non_exhaustive()
    }
}

impl<E: Clone + Send + Sync + 'static> EventStore<E> for FakeEventStore<E> {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        request.check(&self.limits)?;
        self.check_metadata(&request.metadata)?;
        let part = Part {
            log_id: request.log_id,
            expected: request.expected,
            event_ids: &request.event_ids,
            events: request.events,
        };
        let beside = Beside {
            key: request.idempotency_key,
            occurred_at: request.occurred_at,
            metadata: &request.metadata,
        };
        let mut state = self.state();
        let recorded_at = state.write(&[part], &beside)?;
        let events = if request.return_events {
            state.stored(&part).unwrap_or_default().to_vec()
        } else {
            Vec::new()
        };
        Ok(Appended {
            state: request.state_after(),
            recorded_at,
            events,
        })
    }

    async fn append_many(
        &self,
        request: AppendManyRequest<'_>,
    ) -> Result<Vec<LogState>, AppendError> {
        request.check(&self.limits)?;
        self.check_metadata(&request.metadata)?;
        let parts = request.parts.iter().map(|part| {
            let log_id = part.log_id();
            let events = part.events_of();
            Ok(Part {
                log_id,
                expected: part.expected(),
                event_ids: part.event_ids(),
                events: events.ok_or(InvalidAppend::OtherEvents { log_id })?,
            })
        });
        let parts = parts.collect::<Result<Vec<Part<'_, E>>, InvalidAppend>>()?;
        let beside = Beside {
            key: request.idempotency_key,
            occurred_at: request.occurred_at,
            metadata: &request.metadata,
        };
        self.state().write(&parts, &beside)?;
        Ok(request.states_after())
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.state().read(request)
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        Ok(self.state().used(key).to_vec())
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.keys.len();
        let age = chrono::Duration::from_std(older_than).unwrap_or(chrono::Duration::MAX);
        if let Some(since) = Utc::now().checked_sub_signed(age) {
            let young = |replay: &Replay| replay.recorded_at >= since;
            state.keys.retain(|_, replays| replays.iter().all(young));
        }
        Ok((before - state.keys.len()) as u64)
    }
}

impl<E> FakeEventStore<E> {
    /// The bound of what databases store as bytes.
    fn check_metadata(&self, metadata: &Metadata) -> Result<(), InvalidAppend> {
        let bytes = metadata.encode().map_or(0, |encoded| encoded.len());
        let limit = self.limits.max_metadata_bytes;
        if bytes > limit {
            return Err(InvalidAppend::MetadataTooLarge { bytes, limit });
        }
        Ok(())
    }
}

/// The events for one log.
struct Part<'a, E> {
    /// The log.
    log_id: LogId,
    /// Where the caller believes it to end.
    expected: Expected,
    /// One id an event.
    event_ids: &'a [EventId],
    /// The events.
    events: &'a [E],
}

impl<E> Clone for Part<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Part<'_, E> {}

/// What all parts of a write have in common.
struct Beside<'a> {
    /// Makes the write happen only once.
    key: Option<IdempotencyKey<'a>>,
    /// The caller's time.
    occurred_at: Option<DateTime<Utc>>,
    /// What is recorded beside each event.
    metadata: &'a Metadata,
}

impl<E> State<E> {
    /// The events of a log; none if it does not exist.
    fn log(&self, log_id: LogId) -> &[RecordedEvent<E>] {
        self.logs.get(&log_id).map_or(&[], Vec::as_slice)
    }

    /// What a key was used for.
    fn used(&self, key: IdempotencyKey<'_>) -> &[Replay] {
        let replays = self.keys.get(&(key.scope, key.key.to_owned()));
        replays.map_or(&[], Vec::as_slice)
    }

    /// The events of this very part, if they are stored.
    fn stored(&self, part: &Part<'_, E>) -> Option<&[RecordedEvent<E>]> {
        let first = usize::try_from(part.expected.next_index()).ok()?;
        let end = first.checked_add(part.event_ids.len())?;
        let stored = self.log(part.log_id).get(first..end)?;
        let ids = stored.iter().map(EventRecord::event_id);
        ids.eq(part.event_ids.iter().copied()).then_some(stored)
    }
}

impl<E: Clone> State<E> {
    /// Writes all parts or none, and returns the recorded time of the first.
    fn write(
        &mut self,
        parts: &[Part<'_, E>],
        beside: &Beside<'_>,
    ) -> Result<DateTime<Utc>, AppendError> {
        // An earlier attempt of the same write stored all of it.
        let own = parts.first().and_then(|part| self.stored(part)?.last());
        if let Some(own) = own {
            return Ok(own.recorded_at());
        }
        if let Some(replay) = beside.key.and_then(|key| self.used(key).first()) {
            return Err(AppendError::Replay(*replay));
        }
        for part in parts {
            check_end(self.log(part.log_id), part)?;
        }
        let replays: Vec<_> = parts.iter().map(|part| self.extend(part, beside)).collect();
        if let Some(key) = beside.key {
            let key = (key.scope, key.key.to_owned());
            self.keys.insert(key, replays.clone());
        }
        Ok(replays
            .first()
            .map_or_else(Utc::now, |first| first.recorded_at))
    }

    /// Stores the events of a part, and returns what a replay of it is told.
    fn extend(&mut self, part: &Part<'_, E>, beside: &Beside<'_>) -> Replay {
        // Microseconds, as databases keep them; never before the event in front.
        let now = Utc::now().trunc_subsecs(6);
        let log = self.logs.entry(part.log_id).or_default();
        let recorded_at = log.last().map_or(now, |last| now.max(last.recorded_at()));
        let occurred_at = beside.occurred_at.map(|time| time.trunc_subsecs(6));
        let metadata = Arc::new(beside.metadata.clone());
        let first_index = part.expected.next_index();
        let places = part.event_ids.iter().zip(first_index..);
        log.extend(part.events.iter().zip(places).map(|(event, (id, index))| {
            RecordedEvent::new(part.log_id, index, *id, event.clone(), recorded_at)
                .with_occurred_at(occurred_at)
                .with_metadata(Arc::clone(&metadata))
        }));
        Replay {
            first_index,
            event_count: part.event_ids.len() as u64,
            state: part.expected.state_after(part.log_id, part.event_ids),
            recorded_at,
            request_fingerprint: beside.key.and_then(|key| key.request_fingerprint),
        }
    }

    fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
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

/// Whether the log ends where the part expects it to.
fn check_end<E>(log: &[RecordedEvent<E>], part: &Part<'_, E>) -> Result<(), AppendError> {
    let log_id = part.log_id;
    match part.expected {
        Expected::NewLog if log.is_empty() => Ok(()),
        Expected::NewLog => Err(AppendError::LogAlreadyExists { log_id }),
        Expected::After { .. } if log.is_empty() => Err(AppendError::LogNotFound { log_id }),
        Expected::After { index, event_id } => {
            let is_last = index.checked_add(1) == Some(log.len() as u64);
            if is_last && holds(log, index, event_id) {
                Ok(())
            } else {
                Err(AppendError::Conflict {
                    log_id,
                    event_index: part.expected.next_index(),
                })
            }
        }
    }
}

/// Whether the log has this event; any event will do where the id is not known.
fn holds<E>(log: &[RecordedEvent<E>], index: u64, event_id: Option<EventId>) -> bool {
    let stored = usize::try_from(index).ok().and_then(|index| log.get(index));
    stored.is_some_and(|stored| event_id.is_none_or(|id| id == stored.event_id()))
}
