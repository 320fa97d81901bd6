//! A batch of writes, and its progress while it is in flight.

use crate::stores::database::queue::pending::{Outcome, Pending};
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::refusal::Finding;
use crate::sync::lock;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Writes that are sent together, in groups.
///
/// A group is stored whole or not at all: it is a single write, or a chain of writes to one log, each of which builds on the
/// one before. No two groups have a log or a key in common. A write to several logs is alone in its batch.
pub(super) struct Batch {
    /// The writes; those of a group are next to each other.
    #[expect(clippy::vec_box, reason = "each box goes back to its caller")]
    writes: Vec<Box<Pending>>,
    /// The range of places of each group.
    groups: Vec<Range<usize>>,
}

impl Batch {
    /// Makes a batch of one write.
    pub(super) fn single(write: Box<Pending>) -> Self {
        Self::new(vec![(0, write)], 1)
    }

    /// Makes a batch of writes, each with the number of its group. Within a group they keep their order.
    pub(super) fn new(mut writes: Vec<(usize, Box<Pending>)>, groups: usize) -> Self {
        if groups < writes.len() {
            writes.sort_by_key(|(group, _)| *group);
        }
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(groups);
        let mut last = None;
        for (place, (group, _)) in writes.iter().enumerate() {
            match ranges.last_mut() {
                Some(range) if last == Some(*group) => range.end = place + 1,
                _ => ranges.push(place..place + 1),
            }
            last = Some(*group);
        }
        Self {
            writes: writes.into_iter().map(|(_, write)| write).collect(),
            groups: ranges,
        }
    }

    /// Returns the number of writes.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// Returns the number of events.
    pub(super) fn event_count(&self) -> usize {
        let writes = self.writes.iter();
        writes.map(|pending| pending.write.event_count()).sum()
    }

    /// Returns the latest deadline of the writes.
    pub(super) fn deadline(&self) -> Instant {
        let latest = self.writes.iter().map(|pending| pending.deadline).max();
        latest.unwrap_or_else(Instant::now)
    }

    /// Returns how long each write had waited at that time.
    pub(super) fn waited(&self, until: Instant) -> impl ExactSizeIterator<Item = Duration> {
        self.writes.iter().map(move |pending| until - pending.since)
    }

    /// Returns the writes, each with its outcome.
    pub(super) fn with_outcomes(self, outcomes: Vec<Outcome>) -> Vec<(Box<Pending>, Outcome)> {
        self.writes.into_iter().zip(outcomes).collect()
    }
}

/// The outcomes of a batch that are known so far.
pub(super) struct BatchProgress<'a> {
    /// The writes.
    writes: Vec<&'a EncodedWrite>,
    /// The outcomes so far. Locked only briefly and never across an await, because a timeout may end an attempt at any await.
    known: Mutex<KnownOutcomes>,
}

/// The outcomes of the writes of a batch.
struct KnownOutcomes {
    /// In the order of the batch; `None` while the outcome is unknown.
    outcomes: Vec<Option<Outcome>>,
    /// The open groups: those with writes without an outcome.
    open: Vec<Range<usize>>,
}

impl<'a> BatchProgress<'a> {
    pub(super) fn new(batch: &'a Batch) -> Self {
        let outcomes = batch.writes.iter().map(|_| None).collect();
        let open = batch.groups.clone();
        Self {
            writes: batch.writes.iter().map(|pending| &pending.write).collect(),
            known: Mutex::new(KnownOutcomes { outcomes, open }),
        }
    }

    /// Returns the range of all writes, for methods that take a part of the batch.
    pub(super) fn whole(&self) -> Range<usize> {
        0..self.writes.len()
    }

    /// Returns the writes of a part of the batch.
    pub(super) fn writes(&self, part: &Range<usize>) -> &[&'a EncodedWrite] {
        self.writes.get(part.clone()).unwrap_or_default()
    }

    /// Returns the open groups of a part of the batch.
    pub(super) fn open(&self, part: &Range<usize>) -> Vec<Range<usize>> {
        let known = self.known();
        let open = known.open.iter().filter(|group| is_in(group, part));
        open.cloned().collect()
    }

    /// Returns how many writes of a part of the batch have no outcome.
    pub(super) fn unknown(&self, part: &Range<usize>) -> usize {
        let known = self.known();
        let outcomes = known.outcomes.get(part.clone()).unwrap_or_default();
        outcomes.iter().filter(|outcome| outcome.is_none()).count()
    }

    /// Notes which groups are stored. `stored` maps the first log of a group to the time at which the group was recorded.
    pub(super) fn note_stored(&self, stored: &HashMap<Uuid, DateTime<Utc>>) {
        let KnownOutcomes { outcomes, open } = &mut *self.known();
        open.retain(|group| {
            let log_id = self.writes(group).first().map(|write| write.first.log_id);
            let recorded_at = log_id.and_then(|log_id| stored.get(&Uuid::from(log_id)));
            let outcomes = outcomes.get_mut(group.clone()).unwrap_or_default();
            if let Some(recorded_at) = recorded_at {
                outcomes.fill_with(|| Some(Ok(*recorded_at)));
            }
            recorded_at.is_none()
        });
    }

    /// Notes the findings about the writes of an open group, in their order. If a write cannot be stored, neither can the
    /// writes that build on it. Those before it stay open, as a shorter group.
    pub(super) fn note_findings(
        &self,
        group: &Range<usize>,
        findings: &mut impl Iterator<Item = Finding>,
    ) {
        let known = &mut *self.known();
        let mut waiting: Option<Range<usize>> = None;
        let mut failed = false;
        for (place, finding) in group.clone().zip(findings) {
            let Some(write) = self.writes.get(place) else {
                continue;
            };
            let outcome = match finding {
                Finding::Settled(outcome) => Some(outcome),
                _ if failed => Some(Err(write.first.conflict())),
                // The server refused this write because it did not find the write before it, which is not stored yet. So this
                // outcome is not final.
                Finding::Refused(_) if waiting.is_some() => None,
                Finding::Refused(refusal) => Some(Err(refusal)),
                Finding::Free => None,
            };
            if let Some(outcome) = &outcome {
                failed |= outcome.is_err();
            } else {
                let start = waiting.map_or(place, |waiting| waiting.start);
                waiting = Some(start..place + 1);
            }
            if let Some(slot) = known.outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
        if let Some(open) = known.open.iter().position(|open| open == group) {
            match waiting {
                Some(waiting) => known.open[open] = waiting,
                None => drop(known.open.remove(open)),
            }
        }
    }

    /// Notes that there are no more attempts for a part of the batch. Its writes without an outcome get this error. If `error`
    /// is `None`, the server answered all attempts. Nothing prevented these writes, but they lost a race each time, so they get
    /// a conflict.
    pub(super) fn note_end(&self, part: &Range<usize>, error: Option<&StoreError>) {
        let KnownOutcomes { outcomes, open } = &mut *self.known();
        let writes = self.writes(part).iter();
        let outcomes = outcomes.get_mut(part.clone()).unwrap_or_default();
        for (outcome, write) in outcomes.iter_mut().zip(writes) {
            outcome.get_or_insert_with(|| match error {
                Some(error) => Err(error.for_another_caller().into()),
                None => Err(write.first.conflict()),
            });
        }
        open.retain(|group| !is_in(group, part));
    }

    /// Returns the outcomes of all writes.
    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        let outcomes = std::mem::take(&mut self.known().outcomes);
        let unknown = || Err(StoreError::OutcomeUnknown { source: None }.into());
        let outcomes = outcomes.into_iter();
        outcomes
            .map(|outcome| outcome.unwrap_or_else(unknown))
            .collect()
    }

    /// Locks the outcomes. The guard must not be held across an await.
    fn known(&self) -> MutexGuard<'_, KnownOutcomes> {
        lock(&self.known)
    }
}

fn is_in(group: &Range<usize>, part: &Range<usize>) -> bool {
    part.start <= group.start && group.end <= part.end
}
