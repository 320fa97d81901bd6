//! Events as the feed of a store returns them, without a store.

use crate::cursor::Cursor;
use crate::event::Event;
use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::feed::wanted::Wanted;
use crate::ids::{EventId, LogId};
use crate::metadata::Metadata;
use crate::projection::table::row_name;
use crate::record::RecordedEvent;
use crate::testing::scenario::history::{START, falling, next_time, uuid_v7};
use chrono::{DateTime, SubsecRound, Utc};

/// The events of several logs, in the order in which they were given.
#[derive(Debug, Clone)]
pub(super) struct GivenEvents {
    /// What the projection follows.
    sources: &'static [Source],
    /// The events.
    events: Vec<FeedEvent>,
    /// Where those begin that were given last; their times can still be set.
    last_batch: usize,
}

impl GivenEvents {
    pub(super) const fn new(sources: &'static [Source]) -> Self {
        Self {
            sources,
            events: Vec::new(),
            last_batch: 0,
        }
    }

    /// Adds events of a log to those of the projection `P`, or returns what is wrong with them.
    pub(super) fn push<E: Event, P>(
        &mut self,
        log_id: LogId,
        events: impl IntoIterator<Item = E>,
    ) -> Result<(), String> {
        let kind = E::LOG_TYPE.number();
        let mut sources = self.sources.iter();
        if !sources.any(|source| source.log_type.accepts(kind)) {
            let (event, projection) = (row_name::<E>(), row_name::<P>());
            return Err(format!(
                "`{projection}` never gets a `{event}`; add the enum to its `events(…)`, or give events of another one"
            ));
        }
        let last = self.events.iter().rfind(|event| event.log_id == log_id);
        if last.is_some_and(|last| last.kind != kind) {
            return Err(format!(
                "log {log_id} has events of another enum than `{}`; give each log the events of one enum",
                row_name::<E>()
            ));
        }
        let next = last.map_or(0, |last| last.index + 1);
        self.last_batch = self.events.len();
        for (index, event) in (next..).zip(events) {
            let event = self.encode(log_id, index, event)?;
            self.events.push(event);
        }
        Ok(())
    }

    /// Encodes the next event.
    fn encode<E: Event>(&self, log_id: LogId, index: u64, event: E) -> Result<FeedEvent, String> {
        let mut own = self.events.iter().rev();
        let own = own.find(|event| event.log_id == log_id);
        // The last event of the log may be a later one by its time, if a test has set it.
        let before = [self.events.last(), own].into_iter().flatten();
        let before = before.map(|event| event.recorded_at).max();
        let recorded_at = before.map_or(DateTime::UNIX_EPOCH + START, next_time);
        let number = self.events.len() as u64 + 1;
        let since_epoch = recorded_at.signed_duration_since(DateTime::UNIX_EPOCH);
        let event_id = EventId::from_uuid(uuid_v7(since_epoch, number));
        let record = RecordedEvent::new(log_id, index, event_id, event, recorded_at);
        let cursor = Cursor::from_parts(1, number, number, Some(event_id));
        let mut event = FeedEvent::encode(&record, cursor)
            .map_err(|error| format!("event {index} of log {log_id} cannot be stored: {error}"))?;
        if !Wanted::of(self.sources).includes(&event) {
            // As in the feed, where such an event only takes its place.
            event.payload = None;
            event.metadata = None;
        }
        Ok(event)
    }

    /// Sets the time at which the events given last were recorded.
    pub(super) fn set_recorded_at(&mut self, time: DateTime<Utc>) -> Result<(), String> {
        let time = time.trunc_subsecs(6);
        let (before, batch) = self.events.split_at_mut(self.last_batch);
        let Some(first) = batch.first() else {
            return Err(no_event());
        };
        let last = before.iter().rfind(|event| event.log_id == first.log_id);
        if let Some(last) = last.filter(|last| time < last.recorded_at) {
            return Err(falling(time, last.recorded_at));
        }
        for event in batch {
            event.recorded_at = time;
        }
        Ok(())
    }

    /// Sets the time at which the events given last occurred.
    pub(super) fn set_occurred_at(&mut self, time: DateTime<Utc>) -> Result<(), String> {
        let time = time.trunc_subsecs(6);
        let Some(batch) = self.events.get_mut(self.last_batch..) else {
            return Err(no_event());
        };
        if batch.is_empty() {
            return Err(no_event());
        }
        for event in batch {
            event.occurred_at = Some(time);
        }
        Ok(())
    }

    /// Sets the metadata of the events given last.
    pub(super) fn set_metadata(&mut self, metadata: &Metadata) -> Result<(), String> {
        let batch = self.events.get_mut(self.last_batch..).unwrap_or_default();
        if batch.is_empty() {
            return Err(no_event());
        }
        for event in batch.iter_mut().filter(|event| event.payload.is_some()) {
            event.metadata = metadata.encode();
        }
        Ok(())
    }

    /// Returns all events.
    pub(super) fn all(&self) -> &[FeedEvent] {
        &self.events
    }
}

fn no_event() -> String {
    "there is no event that can be changed; give one first".to_owned()
}

/// Names an event in a message.
pub(super) fn named(event: &FeedEvent) -> String {
    let FeedEvent {
        index,
        log_id,
        event_type,
        ..
    } = event;
    format!("event {index} of log {log_id} (`{event_type}`)")
}
