//! A batch of writes, and its progress while it is in flight.

use crate::ids::LogId;
use crate::stores::database::queue::pending::{Outcome, Pending};
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::refusal::Finding;
use crate::sync::lock;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Writes that are sent together, in groups.
///
/// A group is stored whole or not at all: it is a single write, or several writes that build on each other, in their order. No
/// two groups have a key in common, or a log that they append to.
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
            // Stable: the writes of a group keep their order.
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
    /// The open groups: those with writes without an outcome. Such a range begins and ends with one; some in between may have
    /// their outcome.
    open: Vec<Range<usize>>,
}

/// The state of a log after a write of a group that was not stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The write is sent again.
    Open,
    /// The write has failed.
    Failed,
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

    /// Returns the writes without an outcome of some open groups.
    pub(super) fn open_writes(&self, groups: &[Range<usize>]) -> Vec<Cow<'_, [&'a EncodedWrite]>> {
        let KnownOutcomes { outcomes, .. } = &*self.known();
        let writes = groups.iter().map(|group| {
            let writes = self.writes(group);
            let known = outcomes.get(group.clone()).unwrap_or_default();
            if known.iter().all(Option::is_none) {
                return Cow::Borrowed(writes);
            }
            let writes = writes.iter().zip(known);
            let open = writes.filter(|(_, outcome)| outcome.is_none());
            open.map(|(write, _)| *write).collect()
        });
        writes.collect()
    }

    /// Returns how many writes of a part of the batch have no outcome.
    pub(super) fn unknown(&self, part: &Range<usize>) -> usize {
        let known = self.known();
        let outcomes = known.outcomes.get(part.clone()).unwrap_or_default();
        outcomes.iter().filter(|outcome| outcome.is_none()).count()
    }

    /// Notes which groups of a part of the batch are stored. `stored` maps the first log of a group to the time at which the
    /// group was recorded. Groups outside that part may append to the same logs after a [`split`](Self::split).
    pub(super) fn note_stored(&self, part: &Range<usize>, stored: &HashMap<Uuid, DateTime<Utc>>) {
        let KnownOutcomes { outcomes, open } = &mut *self.known();
        open.retain(|group| {
            if !is_in(group, part) {
                return true;
            }
            let log_id = self.writes(group).first().map(|write| write.first.log_id);
            let recorded_at = log_id.and_then(|log_id| stored.get(&Uuid::from(log_id)));
            let outcomes = outcomes.get_mut(group.clone()).unwrap_or_default();
            if let Some(recorded_at) = recorded_at {
                for outcome in outcomes {
                    outcome.get_or_insert(Ok(*recorded_at));
                }
            }
            recorded_at.is_none()
        });
    }

    /// Makes a group of each write without an outcome of an open group, and returns these groups.
    pub(super) fn split(&self, group: &Range<usize>) -> Vec<Range<usize>> {
        let KnownOutcomes { outcomes, open } = &mut *self.known();
        let is_open = |place: &usize| matches!(outcomes.get(*place), Some(None));
        let singles: Vec<_> = group.clone().filter(is_open).collect();
        let singles: Vec<_> = singles.into_iter().map(|place| place..place + 1).collect();
        open.retain(|open| open != group);
        open.extend(singles.iter().cloned());
        singles
    }

    /// Notes the findings about the writes without an outcome of an open group, in their order. If a write cannot be stored,
    /// neither can those that build on it. The others stay open, as a shorter group.
    pub(super) fn note_findings(
        &self,
        group: &Range<usize>,
        findings: &mut impl Iterator<Item = Finding>,
    ) {
        let KnownOutcomes { outcomes, open } = &mut *self.known();
        let mut waiting: Option<Range<usize>> = None;
        let mut fates = HashMap::new();
        for place in group.clone() {
            let (Some(write), Some(outcome @ None)) =
                (self.writes.get(place), outcomes.get_mut(place))
            else {
                continue;
            };
            let Some(finding) = findings.next() else {
                break;
            };
            *outcome = outcome_of(write, finding, &fates);
            let fate = match outcome {
                Some(Ok(_)) => None,
                Some(Err(_)) => Some(Fate::Failed),
                None => Some(Fate::Open),
            };
            if fate == Some(Fate::Open) {
                let start = waiting.map_or(place, |waiting| waiting.start);
                waiting = Some(start..place + 1);
            }
            for append in write.appends() {
                match fate {
                    Some(fate) => fates.insert(append.log_id, fate),
                    None => fates.remove(&append.log_id),
                };
            }
        }
        if let Some(place) = open.iter().position(|open| open == group) {
            match waiting {
                Some(waiting) => open[place] = waiting,
                None => drop(open.remove(place)),
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
                Some(error) => Err(error.clone().into()),
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

/// Returns the outcome of a write according to a finding, or `None` if it stays open. `fates` are those of the logs that earlier
/// writes of its group append to and that were not stored.
fn outcome_of(
    write: &EncodedWrite,
    finding: Finding,
    fates: &HashMap<LogId, Fate>,
) -> Option<Outcome> {
    let refusals = match finding {
        Finding::Settled(outcome) => return Some(outcome),
        Finding::Refused(refusals) => refusals,
        Finding::Free => Vec::new(),
    };
    let fate = |log_id: &LogId| fates.get(log_id).copied();
    let appends = write.appends();
    let appends = appends.map(|append| (append.log_id, append.conflict()));
    let required = write.requirements.iter();
    let required = required.map(|required| (required.log_id, required.conflict()));
    let failed = |(log_id, _): &(LogId, _)| fate(log_id) == Some(Fate::Failed);
    if let Some((_, conflict)) = appends.chain(required).find(failed) {
        return Some(Err(conflict));
    }
    // The server refuses a log if it does not find the write before, which is not stored yet. Such a refusal is not final.
    let mut refusals = refusals.into_iter();
    let refusal = refusals.find(|refusal| fate(&refusal.log_id) != Some(Fate::Open));
    refusal.map(|refusal| Err(refusal.error))
}

fn is_in(group: &Range<usize>, part: &Range<usize>) -> bool {
    part.start <= group.start && group.end <= part.end
}

#[cfg(test)]
mod tests {
    use super::{Batch, BatchProgress};
    use crate::event::{EventType, LogType};
    use crate::ids::{EventId, LogId};
    use crate::log_state::LogPosition;
    use crate::stores::database::queue::pending::{TimeLimit, pending};
    use crate::stores::encoding::event::EncodedEvent;
    use crate::stores::encoding::write::{EncodedAppend, EncodedWrite, Requirement};
    use crate::stores::error::AppendError;
    use crate::stores::postgres::refusal::{Finding, Refusal};
    use crate::stores::request::Expected;
    use crate::stores::write::StoredContext;
    use chrono::Utc;
    use std::collections::HashMap;
    use std::time::Duration;
    use uuid::Uuid;

    const LOG_TYPE: LogType = LogType::new("payment");

    fn append(log_id: LogId, expected: Expected) -> EncodedAppend {
        EncodedAppend {
            log_id,
            expected,
            first_index: expected.next_index(),
            head: EncodedEvent {
                id: EventId::new(),
                event_type: EventType::new("payment.captured", 1),
                codec: 1,
                payload: Vec::new(),
            },
            tail: Vec::new(),
            log_type: LOG_TYPE,
        }
    }

    fn after(append: &EncodedAppend) -> Expected {
        let (index, event_id) = (append.first_index, append.head.id);
        Expected::After(LogPosition::new(append.log_id, index, event_id))
    }

    fn write(appends: Vec<EncodedAppend>, required: &[(LogId, Expected)]) -> EncodedWrite {
        let mut appends = appends.into_iter();
        let required = required.iter().map(|(log_id, expected)| Requirement {
            log_id: *log_id,
            expected: *expected,
            log_type: LOG_TYPE,
        });
        EncodedWrite {
            first: appends.next().unwrap(),
            others: appends.collect(),
            requirements: required.collect(),
            context: StoredContext {
                key: None,
                occurred_at: None,
                metadata: None,
            },
        }
    }

    /// Makes a batch of one group.
    fn batch(writes: Vec<EncodedWrite>) -> Batch {
        let time = TimeLimit::new(None, Duration::from_secs(1)).unwrap();
        let writes = writes.into_iter().map(|write| (0, pending(write, time).0));
        Batch::new(writes.collect(), 1)
    }

    #[test]
    fn after_a_split_each_write_has_its_own_outcome() {
        let log_id = LogId::new();
        let first = append(log_id, Expected::NewLog);
        let second = append(log_id, after(&first));
        let batch = batch(vec![write(vec![first], &[]), write(vec![second], &[])]);
        let progress = BatchProgress::new(&batch);
        assert_eq!(progress.split(&(0..2)), [0..1, 1..2]);
        let stored = HashMap::from([(Uuid::from(log_id), Utc::now())]);
        progress.note_stored(&(0..1), &stored);
        assert_eq!(progress.open(&progress.whole()), vec![1..2]);
        progress.note_end(&(1..2), None);
        let outcomes = progress.into_outcomes();
        assert!(outcomes[0].is_ok());
        assert!(matches!(outcomes[1], Err(AppendError::Conflict { .. })));
    }

    #[test]
    fn a_write_that_fails_leaves_open_what_does_not_build_on_it() {
        let [one, other, moved] = [LogId::new(), LogId::new(), LogId::new()];
        let first = [one, other].map(|log_id| append(log_id, Expected::NewLog));
        let bad = [
            append(one, after(&first[0])),
            append(moved, Expected::NewLog),
        ];
        let builds_on_bad = append(one, after(&bad[0]));
        let requires_bad = append(LogId::new(), Expected::NewLog);
        let last = append(other, after(&first[1]));
        let end_of_bad = after(&bad[0]);
        let batch = batch(vec![
            write(first.into(), &[]),
            write(bad.into(), &[]),
            write(vec![builds_on_bad], &[]),
            write(vec![requires_bad], &[(one, end_of_bad)]),
            write(vec![last], &[]),
        ]);
        let progress = BatchProgress::new(&batch);
        let conflict = |log_id| Refusal {
            log_id,
            error: AppendError::Conflict {
                log_id,
                event_index: 7,
            },
        };
        let refused =
            |logs: &[LogId]| Finding::Refused(logs.iter().copied().map(conflict).collect());
        let mut findings = vec![
            Finding::Free,
            refused(&[one, moved]),
            refused(&[one]),
            refused(&[one]),
            refused(&[other]),
        ]
        .into_iter();
        progress.note_findings(&(0..5), &mut findings);
        // A range with a gap: only the first and the last write are sent again.
        assert_eq!(progress.open(&progress.whole()), vec![0..5]);
        let open = progress.open_writes(&progress.open(&progress.whole()));
        let open: Vec<_> = open[0].iter().map(|write| write.first.log_id).collect();
        assert_eq!(open, [one, other]);
        let stored = HashMap::from([(Uuid::from(one), Utc::now())]);
        progress.note_stored(&progress.whole(), &stored);
        let outcomes = progress.into_outcomes();
        let is_stored: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
        assert_eq!(is_stored, [true, false, false, false, true]);
        let about = |place: usize| match &outcomes[place] {
            Err(AppendError::Conflict { log_id, .. }) => *log_id,
            other => panic!("{other:?}"),
        };
        assert_eq!([about(1), about(2), about(3)], [moved, one, one]);
    }
}
