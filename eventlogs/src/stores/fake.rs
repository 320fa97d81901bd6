//! A store for tests, which keeps logs in memory and gives the same guarantees as a database.

mod checkpoints;
mod coding;
mod feed;
mod list;
mod state;
mod subscriptions;
mod telemetry;

use super::EventStore;
use crate::event::Event;
use crate::feed::commits::CommitSignal;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::appends::{AppendAcrossRequest, AppendPart};
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::fold::EventFold;
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::limits::Limits;
use crate::stores::list::{ListRequest, LogList};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::request::{AppendRequest, Appended};
use crate::stores::store_id::StoreId;
use crate::sync::lock;
use chrono::{DateTime, Utc};
use coding::{Coding, Row};
use state::{Part, State};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use subscriptions::Subscriptions;

/// A store that keeps events in the memory of this process, for unit tests without a database.
///
/// It passes the same conformance suite as the databases. A clone is another handle on the same logs. It keeps the events of
/// one enum, so all events of an append to several logs must be of that enum.
///
/// There are two forms:
///
/// - [`encoding`](Self::encoding) treats events as a database does: it encodes them, refuses those that their codec cannot read
///   back, and decodes them on each read. It requires [`Event`]. Use it for events that a database will store.
/// - [`new`](Self::new) keeps plain values. Events only need to be `Clone`. Nothing is encoded, so this form cannot detect an
///   event that its codec cannot store. It does not know which events are [retired](macro@crate::Event#retired) either; the manager
///   of a derived aggregate refuses them.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "json"))]
/// # #[tokio::main]
/// # async fn main() -> Result<(), eventlogs::LogManagerError> {
/// use eventlogs::stores::fake::FakeEventStore;
/// use eventlogs::{
///     Aggregate, Event, LogManager, LogManagerError, LogManagerOptions, MemoryAggregationCache, event_handler, ids::LogId,
/// };
///
/// #[derive(Debug, Clone, Event)]
/// enum SensorEvent { Measured { kelvin: f64 } }
///
/// #[derive(Debug, Default, Clone, Aggregate)]
/// #[aggregate(event = SensorEvent)]
/// struct Sensor { kelvin: f64 }
///
/// #[event_handler(SensorEvent)]
/// impl Sensor {
///     #[on(Measured)]
///     fn measure(&mut self, kelvin: f64) { self.kelvin = kelvin; }
/// }
///
/// let cache = MemoryAggregationCache::default();
/// let sensors = LogManager::<Sensor>::new(FakeEventStore::encoding(), cache, LogManagerOptions::default());
///
/// // JSON has no NaN, so a database would refuse this event. So does this store.
/// let broken = SensorEvent::Measured { kelvin: f64::NAN };
/// let refused = sensors.create(&LogId::new(), &broken, &Default::default()).await;
/// assert!(matches!(refused, Err(LogManagerError::Encode(_))));
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "macros", feature = "json")))]
/// # fn main() {}
/// ```
///
/// Its futures never wait, so it needs no runtime and no timers. It is the only store that works under paused time
/// (`#[tokio::test(start_paused = true)]`).
pub struct FakeEventStore<E> {
    /// Shared by all clones.
    logs: Logs<E>,
    /// The limits of an append.
    limits: Limits,
    /// The identity of the store.
    id: StoreId,
    /// Tells readers of the feed that something was written.
    commits: Arc<CommitSignal>,
    /// The subscriptions. Locked before the logs.
    subscriptions: Arc<Mutex<Subscriptions>>,
}

/// The logs, in one of two forms. No call waits while it holds a lock.
enum Logs<E> {
    /// Plain values.
    Plain(Arc<Mutex<State<E>>>),
    /// Encoded events, as a database would hold them.
    Encoded(Arc<Mutex<State<Row>>>, Coding<E>),
}

impl<E> FakeEventStore<E> {
    /// Makes an empty store that keeps plain values.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// Makes an empty store that keeps plain values, with these limits.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            logs: Logs::Plain(Arc::new(Mutex::new(State::new()))),
            limits,
            id: StoreId::new(),
            commits: Arc::default(),
            subscriptions: Arc::default(),
        }
    }
}

impl<E: Event> FakeEventStore<E> {
    /// Makes an empty store that encodes and decodes events as a database does, and refuses what a database refuses.
    #[must_use]
    pub fn encoding() -> Self {
        Self::encoding_with_limits(Limits::default())
    }

    /// Makes an empty store that encodes and decodes events as a database does, with these limits.
    #[must_use]
    pub fn encoding_with_limits(limits: Limits) -> Self {
        Self {
            logs: Logs::Encoded(Arc::new(Mutex::new(State::new())), Coding::new()),
            limits,
            id: StoreId::new(),
            commits: Arc::default(),
            subscriptions: Arc::default(),
        }
    }
}

impl<E> FakeEventStore<E> {
    /// Returns a handle on the same logs for another event enum, as another version of a program finds them in its database.
    /// Returns `None` if the store keeps plain values.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "json"))]
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use eventlogs::stores::fake::FakeEventStore;
    /// use eventlogs::stores::{AppendRequest, EventStore, ReadRequest, ReadStart};
    /// use eventlogs::{Event, EventRecord, ids::LogId};
    ///
    /// mod last_year {
    ///     #[derive(Clone, eventlogs::Event)]
    ///     pub enum DoorEvent { Unlocked }
    /// }
    ///
    /// #[derive(Debug, Clone, PartialEq, Event)]
    /// enum DoorEvent {
    ///     #[event(name = "door.opened", alias = "Unlocked")]
    ///     Opened,
    /// }
    ///
    /// let old = FakeEventStore::encoding();
    /// let log_id = LogId::new();
    /// old.append(AppendRequest::create(log_id, &[last_year::DoorEvent::Unlocked])).await?;
    ///
    /// let new = old.read_as::<DoorEvent>().ok_or("it encodes")?;
    /// let page = new.read(ReadRequest::new(log_id, ReadStart::Index(0), 10)).await?;
    /// assert_eq!(page.records[0].event(), &DoorEvent::Opened);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "macros", feature = "json")))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn read_as<N: Event>(&self) -> Option<FakeEventStore<N>> {
        match &self.logs {
            Logs::Plain(_) => None,
            Logs::Encoded(state, _) => Some(FakeEventStore {
                logs: Logs::Encoded(Arc::clone(state), Coding::new()),
                limits: self.limits,
                id: self.id,
                commits: Arc::clone(&self.commits),
                subscriptions: Arc::clone(&self.subscriptions),
            }),
        }
    }
}

impl<E> Default for FakeEventStore<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for FakeEventStore<E> {
    fn clone(&self) -> Self {
        let logs = match &self.logs {
            Logs::Plain(state) => Logs::Plain(Arc::clone(state)),
            Logs::Encoded(state, coding) => Logs::Encoded(Arc::clone(state), *coding),
        };
        Self {
            logs,
            limits: self.limits,
            id: self.id,
            commits: Arc::clone(&self.commits),
            subscriptions: Arc::clone(&self.subscriptions),
        }
    }
}

impl<E> fmt::Debug for FakeEventStore<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (encodes, logs) = match &self.logs {
            Logs::Plain(state) => (false, lock(state).len()),
            Logs::Encoded(state, _) => (true, lock(state).len()),
        };
        formatter
            .debug_struct("FakeEventStore")
            .field("encodes", &encodes)
            .field("logs", &logs)
            .finish_non_exhaustive()
    }
}

impl<E: Clone + Send + Sync + 'static> EventStore<E> for FakeEventStore<E> {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        request.check(&self.limits)?;
        let (recorded_at, events) = match &self.logs {
            Logs::Plain(state) => {
                request.context.encode_metadata(&self.limits)?;
                write(state, &request, request.events)?
            }
            Logs::Encoded(state, coding) => {
                let rows = coding.encode(&request, &self.limits)?;
                let (recorded_at, rows) = write(state, &request, &rows)?;
                (recorded_at, coding.decode_appended(&rows)?)
            }
        };
        self.commits.give();
        Ok(Appended {
            state: request.state_after(),
            recorded_at,
            events,
        })
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        request.check(&self.limits)?;
        for part in &request.parts {
            let log_id = part.log_id();
            if part.events_of::<E>().is_none() {
                return Err(InvalidAppend::OtherEvents { log_id }.into());
            }
        }
        match &self.logs {
            Logs::Plain(state) => {
                request.context.encode_metadata(&self.limits)?;
                let events = request.written();
                let events = events.map(|part| part.events_of::<E>().unwrap_or_default());
                write_across(state, &request, events)?;
            }
            Logs::Encoded(state, _) => {
                let rows = coding::rows_across(&request, &self.limits)?;
                let rows = rows.iter().map(Vec::as_slice);
                write_across(state, &request, rows)?;
            }
        }
        self.commits.give();
        Ok(request.states_after())
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        match &self.logs {
            Logs::Plain(state) => lock(state).read(request),
            Logs::Encoded(state, coding) => {
                let page = lock(state).read(request)?;
                Ok(Page {
                    records: coding.decode(&page.records)?,
                    more: page.more,
                })
            }
        }
    }

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        let request = ReadRequest::new(fold.log_id(), fold.start(), usize::MAX);
        match &self.logs {
            Logs::Plain(state) => {
                let page = lock(state).read(request)?;
                for record in &page.records {
                    if fold.take(record).is_break() {
                        break;
                    }
                }
            }
            Logs::Encoded(state, coding) => {
                let page = lock(state).read(request)?;
                coding.fold(&page.records, fold)?;
            }
        }
        Ok(())
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        Ok(match &self.logs {
            Logs::Plain(state) => lock(state).ends(log_ids),
            Logs::Encoded(state, _) => lock(state).ends(log_ids),
        })
    }

    fn store_id(&self) -> StoreId {
        self.id
    }

    fn store_name(&self) -> &'static str {
        telemetry::STORE
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        Ok(match &self.logs {
            Logs::Plain(state) => list::page(&lock(state), &request, |_| true),
            Logs::Encoded(state, coding) => {
                list::page(&lock(state), &request, |first| coding.accepts(first))
            }
        })
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        Ok(match &self.logs {
            Logs::Plain(state) => lock(state).used(key).to_vec(),
            Logs::Encoded(state, _) => lock(state).used(key).to_vec(),
        })
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        Ok(match &self.logs {
            Logs::Plain(state) => lock(state).prune(older_than),
            Logs::Encoded(state, _) => lock(state).prune(older_than),
        })
    }
}

/// Writes the events of a request, plain or encoded. Returns the recorded time, and the recorded events if the request asks for
/// them.
fn write<E, T: Clone>(
    state: &Mutex<State<T>>,
    request: &AppendRequest<'_, E>,
    events: &[T],
) -> Result<(DateTime<Utc>, Vec<RecordedEvent<T>>), AppendError> {
    check_deadline(request.context.deadline)?;
    let part = Part {
        log_id: request.log_id,
        expected: request.expected,
        event_ids: &request.event_ids,
        events,
    };
    let mut state = lock(state);
    let recorded_at = state.write(&[part], &[], &request.context)?;
    let stored = state.stored(&part).filter(|_| request.return_events);
    Ok((recorded_at, stored.unwrap_or_default().to_vec()))
}

/// Writes the events of a request to several logs, plain or encoded. `events` has those of each log that is written to.
fn write_across<'a, T: Clone + 'a>(
    state: &Mutex<State<T>>,
    request: &'a AppendAcrossRequest<'_>,
    events: impl Iterator<Item = &'a [T]>,
) -> Result<(), AppendError> {
    check_deadline(request.context.deadline)?;
    let part = |part: &'a AppendPart, events| Part {
        log_id: part.log_id(),
        expected: part.expected(),
        event_ids: part.event_ids(),
        events,
    };
    let written = request.written().zip(events);
    let written: Vec<_> = written
        .map(|(written, events)| part(written, events))
        .collect();
    let required = request.parts.iter().filter(|part| part.is_requirement());
    let required: Vec<_> = required.map(|required| part(required, &[])).collect();
    lock(state).write(&written, &required, &request.context)?;
    Ok(())
}

/// Refuses a write whose deadline has passed, before anything is written.
fn check_deadline(deadline: Option<Instant>) -> Result<(), StoreError> {
    match deadline {
        Some(deadline) if deadline <= Instant::now() => Err(StoreError::DeadlineExceeded),
        _ => Ok(()),
    }
}
