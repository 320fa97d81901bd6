//! A store for tests: values in memory, the same promises as a database.

use super::{
    AppendError, AppendRequest, Appended, EventStore, Expected, Limits, Page, ReadError,
    ReadRequest, ReadStart,
};
use super::{Replay, StoreError};
use crate::ids::{EventId, LogId};
use crate::{EventRecord, RecordedEvent};
use chrono::{SubsecRound, Utc};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps events as plain values in this process's memory, for unit tests without a database.
///
/// It passes the same conformance suite as the databases. A clone is another handle on the same logs. Events only need
/// to be `Clone`; nothing is encoded, so it cannot tell whether an event would survive its codec.
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
    /// The write of each used key.
    keys: HashMap<String, Replay>,
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
        self.state().append(&request)
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.state().read(request)
    }

    async fn find_key(&self, idempotency_key: &str) -> Result<Option<Replay>, StoreError> {
        Ok(self.state().keys.get(idempotency_key).copied())
    }
}

impl<E: Clone> State<E> {
    fn append(&mut self, request: &AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        let log = self
            .logs
            .get(&request.log_id)
            .map_or(&[][..], Vec::as_slice);
        if let Some(own) = stored_before(log, request) {
            return Ok(request.answer(own));
        }
        if let Some(replay) = request.idempotency_key.and_then(|key| self.keys.get(key)) {
            return Err(AppendError::Replay(*replay));
        }
        check_end(log, request)?;

        // Microseconds, as databases keep them; never before the event in front.
        let now = Utc::now().trunc_subsecs(6);
        let recorded_at = log.last().map_or(now, |last| now.max(last.recorded_at()));
        let occurred_at = request.occurred_at.map(|time| time.trunc_subsecs(6));
        let records = request
            .events
            .iter()
            .zip(&request.event_ids)
            .zip(request.first_index()..)
            .map(|((event, id), index)| {
                RecordedEvent::new(request.log_id, index, *id, event.clone(), recorded_at)
                    .with_occurred_at(occurred_at)
            });
        let log = self.logs.entry(request.log_id).or_default();
        let first = log.len();
        log.extend(records);
        let appended = request.answer(&log[first..]);
        if let Some(key) = request.idempotency_key {
            self.keys
                .insert(key.to_owned(), request.replay(appended.recorded_at));
        }
        Ok(appended)
    }

    fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        let log = self
            .logs
            .get(&request.log_id)
            .map_or(&[][..], Vec::as_slice);
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

/// The events of this very request, if an earlier attempt stored them.
fn stored_before<'a, E>(
    log: &'a [RecordedEvent<E>],
    request: &AppendRequest<'_, E>,
) -> Option<&'a [RecordedEvent<E>]> {
    let first = usize::try_from(request.first_index()).ok()?;
    let stored = log.get(first..first.checked_add(request.event_ids.len())?)?;
    let own = stored
        .iter()
        .map(EventRecord::event_id)
        .eq(request.event_ids.iter().copied());
    own.then_some(stored)
}

impl<E: Clone> AppendRequest<'_, E> {
    fn answer(&self, stored: &[RecordedEvent<E>]) -> Appended<E> {
        Appended {
            state: self.state_after(),
            recorded_at: stored
                .last()
                .map_or_else(Utc::now, EventRecord::recorded_at),
            events: if self.return_events {
                stored.to_vec()
            } else {
                Vec::new()
            },
        }
    }
}

/// Whether the log ends where the request expects it to.
fn check_end<E>(
    log: &[RecordedEvent<E>],
    request: &AppendRequest<'_, E>,
) -> Result<(), AppendError> {
    let log_id = request.log_id;
    match request.expected {
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
                    event_index: request.first_index(),
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
