//! What may not be sent while something else is in flight.
//!
//! A log with a write in flight is pinned: the next write of that log waits for the answer. In another statement it would
//! not see what the first one is about to commit, and be refused for it. The same goes for keys. Within a batch, writes to one
//! log that build on one another are a chain.

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
    /// The number of the batch that is being made.
    batch: u64,
    /// The logs with a write in flight.
    logs: HashMap<LogId, Pin>,
    /// The keys in flight, by their hashes: of two keys with the same one the second waits in vain, for a moment.
    keys: HashSet<u64>,
    /// Makes those hashes.
    hasher: RandomState,
}

/// Where a log will end once its write in flight is stored.
struct Pin {
    /// The batch that the write is in.
    batch: u64,
    /// Its group there.
    group: usize,
    /// Its last event.
    end: LogPosition,
}

/// Where a write goes.
pub(super) enum Placement {
    /// After the writes that it builds on, in this group.
    AfterGroup(usize),
    /// Into a group of its own.
    OwnGroup,
    /// Into a later batch.
    LaterBatch,
}

/// Whether a write continues its log where the pinned write will leave it.
fn builds_on(write: &EncodedWrite, pin: &Pin) -> bool {
    write.first.expected == Expected::After(pin.end)
}

impl Pins {
    /// Begins another batch: what is pinned from now on is in it.
    pub(super) fn begin(&mut self) {
        self.batch += 1;
    }

    /// Where in the batch that is being made a write goes. It must wait for its log, unless it is the next link of a chain,
    /// and for its key.
    pub(super) fn placement(&self, write: &EncodedWrite) -> Placement {
        let key = write.context.key.as_ref();
        if key.is_some_and(|key| self.keys.contains(&self.hash_of(key))) {
            return Placement::LaterBatch;
        }
        if !write.others.is_empty() {
            let is_pinned = |log_id| self.logs.contains_key(&log_id);
            let mut logs = write.appends().map(|append| append.log_id);
            return if logs.any(is_pinned) {
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

    /// Pins the log and the key of a write that goes into this group of the batch.
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

    /// Lets the next ones go.
    pub(super) fn unpin(&mut self, write: &EncodedWrite) {
        for append in write.appends() {
            self.logs.remove(&append.log_id);
        }
        if let Some(key) = &write.context.key {
            self.keys.remove(&self.hash_of(key));
        }
    }
}
