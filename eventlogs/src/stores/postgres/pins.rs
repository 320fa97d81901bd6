//! Which writes must wait while others are in flight.
//!
//! A log with a write in flight is pinned: the next write of that log waits for the outcome. In another statement it would not
//! see what the first write is about to commit, and would be refused. The same applies to keys.
//!
//! Within a batch, writes that build on each other form a group, which is stored whole or not at all. A write to several logs
//! joins the groups of all writes that it builds on. A log that is only required is pinned, too:
//!
//! - Writes that require it at the same place share it. They need not be in one group.
//! - A write that appends to it at that place joins the group of the write that requires it: the event that it stores takes the
//!   place that the requirement has to keep free. It waits if writes of several groups require the log.
//! - A write that requires a log at the end of a write of the batch joins the group of that write.

use crate::event::LogType;
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
    /// The logs with a write in flight, and those that such a write requires.
    logs: HashMap<LogId, Pin>,
    /// The groups of the current batch that are part of another group, with that group.
    joined: HashMap<usize, usize>,
    /// The logs of writes that the current batch has passed over; `true` if such a write appends to the log. A write that came
    /// later may build on them, and must not overtake them.
    passed_over: HashMap<LogId, bool>,
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
    /// Where the log ends.
    end: Expected,
    /// The kind of the log, as the write has it.
    log_type: LogType,
    /// What the writes of the batch do with the log.
    usage: Usage,
}

/// What the writes of a batch do with a log.
#[derive(Clone, Copy)]
enum Usage {
    /// They append to it.
    Appended,
    /// The writes of one group require it.
    Required,
    /// The writes of several groups require it.
    Shared,
}

/// The place of a write.
pub(super) enum Placement {
    /// In this group, after the writes that it builds on.
    AfterGroup(usize),
    /// In one group with all writes of these groups. `is_closed` if each of its logs is in one of them.
    Joining {
        /// The groups, at least one.
        groups: Vec<usize>,
        /// Whether the write has no log that is in no group.
        is_closed: bool,
    },
    /// In a group of its own.
    OwnGroup,
    /// In a later batch.
    LaterBatch,
}

/// A log of a write: where the write expects it to end, and whether the write appends to it.
struct Part {
    log_id: LogId,
    expected: Expected,
    log_type: LogType,
    is_append: bool,
}

/// The place of a part.
enum PartPlacement {
    /// Anywhere in the current batch.
    Anywhere,
    /// In this group.
    InGroup(usize),
    /// In a later batch.
    LaterBatch,
}

impl Pins {
    /// Begins the next batch: what is pinned from now on is in it.
    pub(super) fn begin(&mut self) {
        self.batch += 1;
        self.joined.clear();
        self.passed_over.clear();
    }

    /// Returns the place of a write with regard to the current batch. A write must wait for its logs, unless it builds on writes
    /// of the batch, and for its key.
    pub(super) fn placement(&self, write: &EncodedWrite) -> Placement {
        let key = write.context.key.as_ref();
        if key.is_some_and(|key| self.keys.contains(&self.hash_of(key))) {
            return Placement::LaterBatch;
        }
        let mut groups = Vec::new();
        let mut is_closed = true;
        for part in parts(write) {
            match self.part_placement(&part) {
                PartPlacement::LaterBatch => return Placement::LaterBatch,
                PartPlacement::Anywhere => is_closed = false,
                PartPlacement::InGroup(group) if write.log_count() == 1 => {
                    return Placement::AfterGroup(group);
                }
                PartPlacement::InGroup(group) if groups.contains(&group) => {}
                PartPlacement::InGroup(group) => groups.push(group),
            }
        }
        if groups.is_empty() {
            Placement::OwnGroup
        } else {
            Placement::Joining { groups, is_closed }
        }
    }

    fn part_placement(&self, part: &Part) -> PartPlacement {
        if !self.passed_over.is_empty()
            && let Some(appends) = self.passed_over.get(&part.log_id)
            && (*appends || part.is_append)
        {
            return PartPlacement::LaterBatch;
        }
        let Some(pin) = self.logs.get(&part.log_id) else {
            return PartPlacement::Anywhere;
        };
        let is_next = pin.batch == self.batch
            && pin.end == part.expected
            && pin.log_type.number() == part.log_type.number();
        match pin.usage {
            _ if !is_next => PartPlacement::LaterBatch,
            Usage::Required | Usage::Shared if !part.is_append => PartPlacement::Anywhere,
            Usage::Shared => PartPlacement::LaterBatch,
            Usage::Appended | Usage::Required => PartPlacement::InGroup(self.group(pin.group)),
        }
    }

    /// Returns the group that a group of the current batch is part of.
    pub(super) fn group(&self, group: usize) -> usize {
        let mut group = group;
        while let Some(whole) = self.joined.get(&group) {
            group = *whole;
        }
        group
    }

    /// Makes one group of some groups of the current batch, and returns it.
    pub(super) fn join(&mut self, groups: &[usize]) -> Option<usize> {
        let (first, others) = groups.split_first()?;
        self.joined
            .extend(others.iter().map(|other| (*other, *first)));
        Some(*first)
    }

    /// Notes that the current batch passes a write over, so that no later write overtakes it.
    pub(super) fn pass_over(&mut self, write: &EncodedWrite) {
        for part in parts(write) {
            *self.passed_over.entry(part.log_id).or_default() |= part.is_append;
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
            let pin = Pin {
                batch,
                group,
                end: Expected::After(end),
                log_type: append.log_type,
                usage: Usage::Appended,
            };
            (log_id, pin)
        }));
        for required in &write.requirements {
            let known = self.logs.get(&required.log_id);
            let usage = match known.map(|pin| (pin.usage, self.group(pin.group))) {
                // The event that is appended keeps the place.
                Some((Usage::Appended, _)) => continue,
                Some((_, other)) if other != group => Usage::Shared,
                Some((usage, _)) => usage,
                None => Usage::Required,
            };
            let pin = Pin {
                batch,
                group,
                end: required.expected,
                log_type: required.log_type,
                usage,
            };
            self.logs.insert(required.log_id, pin);
        }
        if let Some(key) = &write.context.key {
            self.keys.insert(self.hash_of(key));
        }
    }

    /// Unpins the logs and the key of a write. All writes of a batch are unpinned together.
    pub(super) fn unpin(&mut self, write: &EncodedWrite) {
        for append in write.appends() {
            self.logs.remove(&append.log_id);
        }
        for required in &write.requirements {
            self.logs.remove(&required.log_id);
        }
        if let Some(key) = &write.context.key {
            self.keys.remove(&self.hash_of(key));
        }
    }
}

/// Returns the logs of a write.
fn parts(write: &EncodedWrite) -> impl Iterator<Item = Part> {
    let appends = write.appends().map(|append| Part {
        log_id: append.log_id,
        expected: append.expected,
        log_type: append.log_type,
        is_append: true,
    });
    let required = write.requirements.iter().map(|required| Part {
        log_id: required.log_id,
        expected: required.expected,
        log_type: required.log_type,
        is_append: false,
    });
    appends.chain(required)
}
