//! Which writes of a batch can be stored, given what the tables say.

use super::values::Accepted;
use crate::ids::{EventId, LogId};
use crate::stores::Expected;
use crate::stores::encoded::{EncodedAppend, EncodedWrite};
use std::collections::{HashMap, HashSet};

/// What the tables said of the place that an append wants, before the batch wrote anything.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Whether it is free, and behind the event that the caller saw.
    pub(super) is_free: bool,
    /// Whether the key of the append has not been used, if it has one.
    pub(super) key_is_new: bool,
    /// When the event in front of it was recorded, in microseconds since 1970.
    pub(super) previous: Option<i64>,
}

/// What is decided about the writes of a batch, each with its number in it.
pub(super) struct Decisions<'a> {
    /// Those that can be stored.
    pub(super) accepted: Vec<(usize, Accepted<'a>)>,
    /// Those that cannot, at least not in front of the others.
    pub(super) refused: Vec<(usize, &'a EncodedWrite)>,
}

/// Decides in the order of arrival: an append that builds on one before it in the batch finds it stored.
pub(super) fn decide<'a>(
    writes: &[(usize, &'a EncodedWrite)],
    places: &[Place],
    now: i64,
) -> Decisions<'a> {
    let mut written = Written::default();
    let mut decisions = Decisions {
        accepted: Vec::with_capacity(writes.len()),
        refused: Vec::new(),
    };
    let mut places = places;
    for &(number, write) in writes {
        let appends = (1 + write.others.len()).min(places.len());
        let (own, rest) = places.split_at(appends);
        places = rest;
        match written.accept(write, own, now) {
            Some(recorded_at) => {
                written.note(write, recorded_at);
                let accepted = Accepted { write, recorded_at };
                decisions.accepted.push((number, accepted));
            }
            None => decisions.refused.push((number, write)),
        }
    }
    decisions
}

/// What the writes that were accepted so far change.
#[derive(Default)]
struct Written<'a> {
    /// Where the logs end that they are about.
    ends: HashMap<LogId, End>,
    /// Their keys, each with the log that it is unique in.
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
}

impl<'a> Written<'a> {
    /// The time that is recorded for a write: never before the last event of any of its logs. Nothing if it cannot be
    /// stored in all of them.
    fn accept(&self, write: &EncodedWrite, places: &[Place], now: i64) -> Option<i64> {
        let key = write.key.as_ref();
        let is_used = key.is_some_and(|key| self.keys.contains(&(key.scope, key.key.as_str())));
        if is_used || places.iter().any(|place| !place.key_is_new) {
            return None;
        }
        let mut places = places.iter();
        write.appends().try_fold(now, |recorded_at, append| {
            let place = places.next()?;
            let previous = match self.ends.get(&append.log_id) {
                Some(end) => end.is_expected_by(append).then_some(Some(end.recorded_at)),
                None => place.is_free.then_some(place.previous),
            };
            Some(previous?.map_or(recorded_at, |previous| recorded_at.max(previous)))
        })
    }

    /// Notes that a write is going to be stored.
    fn note(&mut self, write: &'a EncodedWrite, recorded_at: i64) {
        self.ends.extend(write.appends().map(|append| {
            let end = End {
                next_index: append.first_index.saturating_add(append.event_count()),
                event_id: append.last_event_id(),
                recorded_at,
            };
            (append.log_id, end)
        }));
        let keys = write.key.as_ref().map(|key| (key.scope, key.key.as_str()));
        self.keys.extend(keys);
    }
}

impl End {
    fn is_expected_by(&self, append: &EncodedAppend) -> bool {
        append.first_index == self.next_index
            && match append.expected {
                Expected::After { event_id, .. } => event_id.is_none_or(|id| id == self.event_id),
                Expected::NewLog => false,
            }
    }
}
