//! Which writes must wait while others are in flight.
//!
//! A log with a write in flight is pinned: the next write of that log waits for the outcome. In another statement it would not
//! see what the first write is about to commit, and would be refused. The same applies to keys. Within a batch, writes to one
//! log that build on each other are a chain.

use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::request::Expected;
use crate::stores::write::StoredKey;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// The logs and keys in flight.
#[derive(Default)]
pub(super) struct Pins {
    /// The number of the current batch.
    batch: u64,
    /// The logs with a write in flight.
    logs: HashMap<LogId, Pin>,
    /// The hashes of the keys in flight. If two keys have the same hash, the second write waits for a moment without need.
    keys: HashSet<u64>,
    /// Makes the hashes.
    hasher: RandomState,
}

/// The end of a log once its write in flight is stored.
struct Pin {
    /// The batch of the write.
    batch: u64,
    /// The group of the write in that batch.
    group: usize,
    /// The last event of the write.
    end: LogPosition,
}

/// The place of a write.
pub(super) enum Placement {
    /// In this group, after the writes that it builds on.
    AfterGroup(usize),
    /// In a group of its own.
    OwnGroup,
    /// In a later batch.
    LaterBatch,
}

/// Returns `true` if a write continues its log at the end of the pinned write.
fn builds_on(write: &EncodedWrite, pin: &Pin) -> bool {
    write.first.expected == Expected::After(pin.end)
}

impl Pins {
    /// Begins the next batch: what is pinned from now on is in it.
    pub(super) fn begin(&mut self) {
        self.batch += 1;
    }

    /// Returns the place of a write with regard to the current batch. A write must wait for its log, unless it is the next of a
    /// chain, and for its key.
    pub(super) fn placement(&self, write: &EncodedWrite) -> Placement {
        let key = write.context.key.as_ref();
        if key.is_some_and(|key| self.keys.contains(&self.hash_of(key))) {
            return Placement::LaterBatch;
        }
        if write.log_count() > 1 {
            let is_pinned = |log_id| self.logs.contains_key(&log_id);
            let appends = write.appends().map(|append| append.log_id);
            let required = write.requirements.iter().map(|required| required.log_id);
            return if appends.chain(required).any(is_pinned) {
                Placement::LaterBatch
            } else {
                Placement::OwnGroup
            };
        }
        match self.logs.get(&write.first.log_id) {
            None => Placement::OwnGroup,
            Some(pin) if pin.batch == self.batch && builds_on(write, pin) => {
                Placement::AfterGroup(pin.group)
            }
            Some(_) => Placement::LaterBatch,
        }
    }

    fn hash_of(&self, key: &StoredKey) -> u64 {
        self.hasher.hash_one((key.scope, &key.key))
    }

    /// Pins the logs and the key of a write that goes into this group of the current batch.
    pub(super) fn pin(&mut self, write: &EncodedWrite, group: usize) {
        let batch = self.batch;
        self.logs.extend(write.appends().map(|append| {
            let (log_id, last) = (append.log_id, append.event_count() - 1);
            let index = append.first_index.saturating_add(last);
            let end = LogPosition::new(log_id, index, append.last_event_id());
            (log_id, Pin { batch, group, end })
        }));
        if let Some(key) = &write.context.key {
            self.keys.insert(self.hash_of(key));
        }
    }

    /// Unpins the logs and the key of a write.
    pub(super) fn unpin(&mut self, write: &EncodedWrite) {
        for append in write.appends() {
            self.logs.remove(&append.log_id);
        }
        if let Some(key) = &write.context.key {
            self.keys.remove(&self.hash_of(key));
        }
    }
}
