//! Writing a batch: one guarded insert, and a look at what was refused.

use super::Core;
use crate::stores::database::queue::pending::Outcome;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::error::{Failure, Verdict};
use crate::stores::postgres::names::naming;
use crate::stores::postgres::pool::Leased;
use crate::stores::postgres::refusal::{Finding, findings, in_question};
use crate::stores::postgres::retry::{LOST_RACES, Operation, until_answered};
use crate::stores::postgres::values;
use crate::stores::postgres::values::Group;
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use uuid::Uuid;

/// Writes that are sent together.
///
/// No two of its groups want the same log or the same key. A group lands whole or not at all: it is a single write, or a
/// chain of writes to one log, each of which builds on the one before. A write to several logs is alone in its batch.
pub(super) struct Batch<'a> {
    /// The writes, those of a group next to each other.
    pub(super) writes: Vec<&'a EncodedWrite>,
    /// The groups.
    pub(super) groups: Vec<Range<usize>>,
}

/// What became of a batch.
pub(super) struct Written {
    /// In the order of the batch; `None` for what nothing is known of but the error.
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// The groups without an outcome.
    pub(super) open: Vec<Range<usize>>,
    /// Why they have none.
    pub(super) error: Option<StoreError>,
}

/// Writes a batch. One round trip, unless something is refused or a connection breaks.
///
/// An attempt whose answer was lost is followed by one with the same ids. If the first one was carried out, the second is
/// refused by the very events that it wants to write, which tells. What is known already is not tried again: an error later
/// on is none of those that have been stored.
pub(super) async fn write(core: &Core, batch: &Batch<'_>, deadline: Instant) -> Written {
    let operation = core.writing(deadline);
    let progress = Progress {
        writes: &batch.writes,
        known: Mutex::new(Known {
            outcomes: batch.writes.iter().map(|_| None).collect(),
            open: batch.groups.clone(),
        }),
    };
    let answered = until_answered(&operation, || attempt(core, &progress, &operation));
    let error = answered.await.err();
    let error = error.map(|error| naming(error, &batch.writes));
    let Known { outcomes, open } = progress.into_known(error.is_none());
    Written {
        outcomes,
        open,
        error,
    }
}

/// What is known of a batch, from one attempt to the next.
struct Progress<'a> {
    /// The writes.
    writes: &'a [&'a EncodedWrite],
    /// What became of them. Locked for the time of a note, since the clock may cut an attempt off at any await.
    known: Mutex<Known>,
}

/// What became of the writes of a batch.
struct Known {
    /// In the order of the batch; `None` where nothing is known yet.
    outcomes: Vec<Option<Outcome>>,
    /// The groups of those of which nothing is known yet.
    open: Vec<Range<usize>>,
}

async fn attempt(
    core: &Core,
    progress: &Progress<'_>,
    operation: &Operation<'_>,
) -> Result<(), Failure> {
    let mut connection = operation.lease().await?;
    let written = on(core, &mut connection, progress, operation).await;
    connection.give_back_after(&written);
    written
}

async fn on(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &Progress<'_>,
    operation: &Operation<'_>,
) -> Result<(), Failure> {
    for _ in 0..LOST_RACES {
        let open = progress.open();
        match insert(core, connection, progress, &open, operation).await {
            Ok(stored) => progress.note(&stored),
            // Somewhere in the batch a twin, whose other half has committed meanwhile, in another process. The statement has
            // written nothing; alone, each group meets its own fate only.
            Err(failure) if failure.verdict() == Verdict::Clash => {
                one_by_one(core, connection, progress, operation).await?;
            }
            Err(failure) => return Err(failure),
        }
        let open = progress.open();
        if open.is_empty() {
            break;
        }
        ask(core, connection, progress, &open).await?;
        if progress.open().is_empty() {
            break;
        }
        // Nothing stands in the way of the others any more: what the statement ran into was rolled back before the look
        // at it. They are sent again.
    }
    Ok(())
}

/// Sends the statement, and returns the recorded time of each group that it let in, by the first log of the group: no two
/// groups of a batch are about the same one.
async fn insert(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &Progress<'_>,
    open: &[Range<usize>],
    operation: &Operation<'_>,
) -> Result<HashMap<Uuid, DateTime<Utc>>, Failure> {
    let groups: Vec<Group<'_, '_>> = open.iter().map(|group| progress.group(group)).collect();
    operation.sending();
    let rows = connection
        .rows(values::insert(&core.statements, &groups))
        .await;
    let stored = rows.map_err(Failure::Statement).and_then(|rows| {
        let stored = |row: &PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(stored).collect()
    });
    if !matches!(&stored, Err(failure) if failure.leaves_open()) {
        operation.answered();
    }
    stored
}

/// Tries each open group alone.
async fn one_by_one(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &Progress<'_>,
    operation: &Operation<'_>,
) -> Result<(), Failure> {
    for group in progress.open() {
        let group = std::slice::from_ref(&group);
        match insert(core, connection, progress, group, operation).await {
            Ok(stored) => progress.note(&stored),
            Err(failure) if failure.verdict() == Verdict::Clash => {
                let before = progress.unknown();
                ask(core, connection, progress, group).await?;
                if progress.unknown() == before {
                    // Not one of ours: somebody has put a constraint of their own on our tables.
                    progress.fail(group, &failure);
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Asks why groups did not come back.
async fn ask(
    core: &Core,
    connection: &mut Leased<'_>,
    progress: &Progress<'_>,
    groups: &[Range<usize>],
) -> Result<(), Failure> {
    let writes: Vec<_> = groups
        .iter()
        .flat_map(|group| progress.group(group))
        .copied()
        .collect();
    let why = connection
        .rows(values::why(&core.statements.why, &writes))
        .await?;
    let in_question = in_question(&writes, &why)?;
    let stored = if in_question.is_empty() {
        Vec::new()
    } else {
        let own = values::own(&core.statements.own, &in_question);
        connection.rows(own).await?
    };
    let findings = findings(&writes, &why, &stored)?;
    let mut findings = findings.into_iter();
    for group in groups {
        progress.settle(group, &mut findings);
    }
    Ok(())
}

impl<'a> Progress<'a> {
    /// The writes of a group.
    fn group(&self, group: &Range<usize>) -> &'a [&'a EncodedWrite] {
        self.writes.get(group.clone()).unwrap_or_default()
    }

    /// A note cannot be left half-written.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The groups of which nothing is known yet.
    fn open(&self) -> Vec<Range<usize>> {
        self.known().open.clone()
    }

    /// How many writes have no outcome yet.
    fn unknown(&self) -> usize {
        let known = self.known();
        let open = known.outcomes.iter().filter(|outcome| outcome.is_none());
        open.count()
    }

    /// Notes which groups came back.
    fn note(&self, stored: &HashMap<Uuid, DateTime<Utc>>) {
        let Known { outcomes, open } = &mut *self.known();
        open.retain(|group| {
            let log_id = self.group(group).first().map(|write| write.first.log_id);
            let recorded_at = log_id.and_then(|log_id| stored.get(&Uuid::from(log_id)));
            let outcomes = outcomes.get_mut(group.clone()).unwrap_or_default();
            if let Some(recorded_at) = recorded_at {
                outcomes.fill_with(|| Some(Ok(*recorded_at)));
            }
            recorded_at.is_none()
        });
    }

    /// Notes what was found out about the writes of a group, in their order. The first one that cannot be written takes with
    /// it all that build on it; those in front of it are a shorter group now.
    fn settle(&self, group: &Range<usize>, findings: &mut impl Iterator<Item = Finding>) {
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
                // What it misses has not been sent yet.
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

    /// Notes that the database refuses a group for a reason of its own.
    fn fail(&self, groups: &[Range<usize>], failure: &Failure) {
        let known = &mut *self.known();
        for group in groups {
            for outcome in known.outcomes.iter_mut().take(group.end).skip(group.start) {
                let source = failure.to_string().into();
                let error = AppendError::Store(StoreError::Database { source });
                outcome.get_or_insert(Err(error));
            }
            known.open.retain(|open| open != group);
        }
    }

    /// All that is known. What nothing stood in the way of, again and again, has lost a race each time, if all attempts
    /// were answered.
    fn into_known(self, answered: bool) -> Known {
        let mut known = self
            .known
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if answered {
            known.open.clear();
            for (outcome, write) in known.outcomes.iter_mut().zip(self.writes) {
                outcome.get_or_insert_with(|| Err(write.first.conflict()));
            }
        }
        known
    }
}
