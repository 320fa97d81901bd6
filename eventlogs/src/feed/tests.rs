//! The feed with a store that does what a test says.

mod guard;
mod pages;
mod servers;

use crate::codec::CodecId;
use crate::cursor::{Cursor, Place};
use crate::feed::commits::{CommitSignal, Commits};
use crate::feed::contract::{EventFeed, Feed};
use crate::feed::error::FeedError;
use crate::feed::event::FeedEvent;
use crate::feed::head::{FeedHead, History};
use crate::feed::page::{FeedPage, FeedRequest};
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::stores::error::store::StoreError;
use crate::sync::lock;
use chrono::Utc;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// The kind of the logs.
const KIND: i32 = 7;

/// A store whose events and mistakes a test decides.
#[derive(Clone, Default)]
struct Scripted {
    script: Arc<Mutex<Script>>,
    commits: Arc<CommitSignal>,
}

/// What the store has, and what it does wrong.
#[derive(Default)]
struct Script {
    /// All events, in the order of the feed.
    events: Vec<FeedEvent>,
    /// Pages lack these events until so many heads were looked up.
    late: HashMap<EventId, usize>,
    /// Their logs lack these events.
    gone: HashSet<EventId>,
    /// The number of heads that were looked up.
    heads: usize,
    /// The pages that were read: how many events the store may look at, and whether it may leave out some.
    reads: Vec<(usize, bool)>,
    /// The history of the server that answers.
    history: History,
    /// Pages are read from another server so many times.
    elsewhere: usize,
    /// So many reads of a log fail.
    failures: usize,
    /// Whether the server follows another one.
    is_standby: bool,
    /// So many events lie between the last one and the one before it.
    distance: u64,
}

impl Script {
    fn is_visible(&self, event: &FeedEvent) -> bool {
        let from = self.late.get(&event.event_id);
        from.is_none_or(|from| self.heads >= *from)
    }

    fn visible(&self) -> impl DoubleEndedIterator<Item = &FeedEvent> {
        self.events.iter().filter(|event| self.is_visible(event))
    }

    /// Adds an event at the end.
    fn add(&mut self, log_id: LogId, index: u64) -> FeedEvent {
        let last = self.events.last();
        let place = last.map_or(Place::START, |last| last.cursor.place());
        let event_id = EventId::new();
        let place = Place {
            epoch: 1,
            tx: place.tx + 1,
            position: place.position + 1,
        };
        let event = FeedEvent {
            cursor: Cursor::new(place, Some(event_id)),
            log_id,
            index,
            event_id,
            kind: KIND,
            event_type: "counter.added".into(),
            version: 1,
            codec: CodecId::from_stored(1),
            payload: Some(br#"{"amount":1}"#.to_vec()),
            metadata: None,
            occurred_at: None,
            recorded_at: Utc::now(),
        };
        self.events.push(event.clone());
        event
    }
}

impl Scripted {
    /// Makes a store with these events, given as log and index, and returns the ids of the logs.
    fn with<const N: usize>(events: &[(usize, u64)]) -> (Self, [LogId; N]) {
        let store = Self::default();
        let logs = std::array::from_fn(|_| LogId::new());
        for (log, index) in events {
            store.script().add(logs[*log], *index);
        }
        (store, logs)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    /// Hides so many of the last events.
    fn lag(&self, events: usize) {
        let script = &mut *self.script();
        let last = script.events.iter().rev().take(events);
        script.late = last.map(|event| (event.event_id, usize::MAX)).collect();
    }

    /// Returns the id of an event, by its number in the feed.
    fn id(&self, number: usize) -> EventId {
        self.script().events[number].event_id
    }
}

impl EventFeed for Scripted {
    async fn head(&self) -> Result<FeedHead, StoreError> {
        let mut script = self.script();
        script.heads += 1;
        let last = script.visible().next_back().map(|event| event.cursor);
        let place = last.map_or(Place::START, |last| last.place());
        let fence = Place {
            epoch: 1,
            tx: place.tx + 1,
            position: 0,
        };
        let far = last.map(|last| {
            let place = last.place();
            let position = place.position + script.distance;
            Cursor::new(Place { position, ..place }, None)
        });
        let mut head = FeedHead::new(Cursor::new(fence, None), far, last);
        head.history = script.history;
        head.is_standby = script.is_standby;
        Ok(head)
    }

    async fn read_feed(&self, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
        let mut script = self.script();
        script.reads.push((request.limit, request.sparse));
        if script.elsewhere > 0 {
            script.elsewhere -= 1;
            return Ok(FeedPage::new(Vec::new(), request.after, true));
        }
        let after = request.after;
        let anchor = script.visible().find(|event| event.cursor == after);
        if !request.check_anchor(anchor.map(|event| event.event_id))? {
            return Ok(FeedPage::new(Vec::new(), after, false));
        }
        let (after, end) = (after.place(), request.end().place());
        let events = script.visible().filter(|event| {
            let place = event.cursor.place();
            place > after && place < end
        });
        let events: Vec<_> = events.take(request.limit).cloned().collect();
        let cursor = events.last().map_or(request.after, |last| last.cursor);
        let is_last = |event: &FeedEvent| event.cursor == cursor;
        let more = events.len() == request.limit;
        let events = events.into_iter().filter(|event| {
            !request.sparse
                || request.wanted.includes_log(event.log_id, event.kind)
                || is_last(event)
        });
        Ok(FeedPage::new(events.collect(), cursor, more))
    }

    async fn read_gap(
        &self,
        log_id: LogId,
        indices: Range<u64>,
        _wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        let mut script = self.script();
        if script.failures > 0 {
            script.failures -= 1;
            return Err(StoreError::Closed);
        }
        let events = script.events.iter();
        let events = events.filter(|event| event.log_id == log_id);
        let events = events.filter(|event| indices.contains(&event.index));
        let events = events.filter(|event| !script.gone.contains(&event.event_id));
        let mut found: Vec<_> = events.cloned().collect();
        found.sort_by_key(|event| event.index);
        Ok(found)
    }

    async fn find_place(&self, _log_id: LogId, _index: u64) -> Result<Option<Cursor>, StoreError> {
        Ok(None)
    }

    fn commits(&self) -> Commits {
        self.commits.receiver()
    }
}

/// Reads all pages, and returns the events.
async fn all(feed: &mut Feed<Scripted>) -> Result<Vec<FeedEvent>, FeedError> {
    let mut events = Vec::new();
    while let Some(page) = feed.next_page().await? {
        events.extend(page.events);
    }
    Ok(events)
}

/// Returns logs, by their numbers among these, and indices.
fn names(logs: &[LogId], events: &[FeedEvent]) -> Vec<(usize, u64)> {
    let number = |log_id| logs.iter().position(|log| *log == log_id);
    let name = |event: &FeedEvent| (number(event.log_id).unwrap_or(usize::MAX), event.index);
    events.iter().map(name).collect()
}
