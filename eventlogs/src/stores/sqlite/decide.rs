//! Decides which writes of a batch can be stored, given what is in the tables.

use crate::event::LogType;
use crate::ids::{EventId, LogId};
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::request::Expected;
use crate::stores::sqlite::values::Accepted;
use std::collections::{HashMap, HashSet};

/// The place that an append or a requirement needs, as it was in the tables before the batch wrote anything.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Availability {
    /// `true` if the place is free, and comes after the event that the caller saw.
    pub(super) is_free: bool,
    /// `true` if the append has no key, or its key has not been used.
    pub(super) key_is_new: bool,
    /// When the event before it was recorded, in microseconds since 1970.
    pub(super) previous: Option<i64>,
    /// The kind of that event's log.
    pub(super) kind: Option<i32>,
}

/// The decisions on the writes of a batch, each with the number of its write.
pub(super) struct Decisions<'a> {
    /// The writes that can be stored.
    pub(super) accepted: Vec<(usize, Accepted<'a>)>,
    /// The writes that cannot be stored, at least not before the others.
    pub(super) refused: Vec<(usize, &'a EncodedWrite)>,
}

/// Decides in the order of arrival: an append that builds on an earlier append of the batch treats that one as stored.
pub(super) fn decide<'a>(
    writes: &[(usize, &'a EncodedWrite)],
    places: &[Availability],
    now: i64,
) -> Decisions<'a> {
    let mut written = Written::default();
    let mut decisions = Decisions {
        accepted: Vec::with_capacity(writes.len()),
        refused: Vec::new(),
    };
    let mut places = places;
    for &(number, write) in writes {
        let own = write.log_count().min(places.len());
        let (own, rest) = places.split_at(own);
        places = rest;
        match written.accept(write, own, now) {
            Some(accepted) => {
                written.note(&accepted);
                decisions.accepted.push((number, accepted));
            }
            None => decisions.refused.push((number, write)),
        }
    }
    decisions
}

/// The changes of the writes that were accepted so far.
#[derive(Default)]
struct Written<'a> {
    /// The ends of the logs that they append to.
    ends: HashMap<LogId, End>,
    /// Their keys, each with its scope.
    keys: HashSet<(Option<LogId>, &'a str)>,
}

/// The end of a log.
struct End {
    /// The index of its next event.
    next_index: u64,
    /// The id of its last event.
    event_id: EventId,
    /// When that was recorded.
    recorded_at: i64,
    /// The kind of the log.
    kind: i32,
}

impl<'a> Written<'a> {
    /// The write as it will be stored, if all its logs can take it, and those that it requires have not moved. The time that is
    /// recorded for it is never before that of the last event of any of these logs.
    fn accept<'w>(
        &self,
        write: &'w EncodedWrite,
        places: &[Availability],
        now: i64,
    ) -> Option<Accepted<'w>> {
        let key = write.context.key.as_ref();
        let is_used = key.is_some_and(|key| self.keys.contains(&(key.scope, key.key.as_str())));
        if is_used || places.iter().any(|place| !place.key_is_new) {
            return None;
        }
        let mut accepted = Accepted {
            write,
            recorded_at: now,
            kind: write.first.log_type.number(),
            other_kinds: Vec::new(),
        };
        let mut places = places.iter();
        for (nth, append) in write.appends().enumerate() {
            let log = (append.log_id, append.expected, append.log_type);
            let (previous, kind) = self.previous(log, places.next()?)?;
            // A log keeps the number of the name that it was created under.
            let kind = kind.unwrap_or_else(|| append.log_type.number());
            if nth == 0 {
                accepted.kind = kind;
            } else {
                accepted.other_kinds.push(kind);
            }
            accepted.recorded_at = accepted.recorded_at.max(previous.unwrap_or(now));
        }
        for required in &write.requirements {
            let log = (required.log_id, required.expected, required.log_type);
            let (previous, _) = self.previous(log, places.next()?)?;
            accepted.recorded_at = accepted.recorded_at.max(previous.unwrap_or(now));
        }
        Some(accepted)
    }

    /// Returns when the last event of a log was recorded, and its kind, if there is one. Returns `None` if the log does not end
    /// where it is expected to end.
    fn previous(
        &self,
        (log_id, expected, log_type): (LogId, Expected, LogType),
        place: &Availability,
    ) -> Option<(Option<i64>, Option<i32>)> {
        match self.ends.get(&log_id) {
            Some(end) => end
                .is_expected(expected, log_type)
                .then_some((Some(end.recorded_at), Some(end.kind))),
            None => place
                .is_free_for(log_type)
                .then_some((place.previous, place.kind)),
        }
    }

    /// Notes that a write will be stored.
    fn note(&mut self, accepted: &Accepted<'a>) {
        let write = accepted.write;
        self.ends.extend(accepted.appends().map(|(append, kind)| {
            let end = End {
                next_index: append.first_index.saturating_add(append.event_count()),
                event_id: append.last_event_id(),
                recorded_at: accepted.recorded_at,
                kind,
            };
            (append.log_id, end)
        }));
        let keys = write
            .context
            .key
            .as_ref()
            .map(|key| (key.scope, key.key.as_str()));
        self.keys.extend(keys);
    }
}

impl Availability {
    fn is_free_for(&self, log_type: LogType) -> bool {
        self.is_free && self.kind.is_none_or(|kind| log_type.accepts(kind))
    }
}

impl End {
    fn is_expected(&self, expected: Expected, log_type: LogType) -> bool {
        expected.next_index() == self.next_index
            && log_type.accepts(self.kind)
            // A log that ends here is not new: its next index is not 0.
            && expected.predecessor().is_none_or(|id| id == self.event_id)
    }
}
