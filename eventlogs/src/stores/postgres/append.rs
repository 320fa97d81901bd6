//! Writing a batch: one guarded insert, and a look at what was refused.

use super::Core;
use super::error::{self, Verdict};
use super::refusal::{Finding, conflict, why_refused};
use super::retry::{LOST_RACES, OnItsWay, until_answered};
use super::values::{self, Group};
use crate::stores::encoded::EncodedWrite;
use crate::stores::write_queue::Outcome;
use crate::stores::{AppendError, StoreError};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::collections::HashMap;
use std::ops::Range;
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

/// Writes a batch, and returns an outcome for each write. One round trip, unless something is refused or a connection
/// breaks.
///
/// An attempt whose answer was lost is followed by one with the same ids. If the first one was carried out, the second is
/// refused by the very events that it wants to write, which tells.
pub(super) async fn write(
    core: &Core,
    batch: &Batch<'_>,
    deadline: Instant,
) -> Result<Vec<Outcome>, StoreError> {
    let on_its_way = OnItsWay::default();
    until_answered(deadline, &on_its_way, || attempt(core, batch, &on_its_way)).await
}

/// What is known of a batch.
struct Progress<'a> {
    /// In the order of the batch; `None` where nothing is known yet.
    outcomes: Vec<Option<Outcome>>,
    /// The writes.
    writes: &'a [&'a EncodedWrite],
    /// The groups of those of which nothing is known yet.
    open: Vec<Range<usize>>,
}

async fn attempt(
    core: &Core,
    batch: &Batch<'_>,
    on_its_way: &OnItsWay,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let mut connection = core.writers.lease().await?;
    let mut progress = Progress {
        outcomes: batch.writes.iter().map(|_| None).collect(),
        writes: &batch.writes,
        open: batch.groups.clone(),
    };
    for _ in 0..LOST_RACES {
        let open = progress.open.clone();
        match insert(core, &mut connection, &progress, &open, on_its_way).await {
            Ok(stored) => progress.note(&open, &stored),
            // Somewhere in the batch a twin, whose other half has committed meanwhile, in another process. The statement has
            // written nothing; alone, each group meets its own fate only.
            Err(error) if error::verdict(&error) == Verdict::Clash => {
                one_by_one(core, &mut connection, &mut progress, on_its_way).await?;
            }
            Err(error) => {
                if error::is_read_only(&error) {
                    // A server that was the primary once. The next connection may find the one that is now.
                    connection.give_up();
                } else if !error::is_broken(&error) {
                    connection.give_back();
                }
                return Err(error);
            }
        }
        if progress.open.is_empty() {
            break;
        }
        // Refused, so nothing is in doubt; a connection that breaks here only means another attempt.
        ask(core, &mut connection, &mut progress).await?;
        if progress.open.is_empty() {
            break;
        }
        // Nothing stands in the way of the others any more: what the statement ran into was rolled back before the look
        // at it. They are sent again.
    }
    connection.give_back();
    Ok(progress.finish())
}

/// Sends the statement, and returns the recorded time of each group that it let in, by the id of its first event.
async fn insert(
    core: &Core,
    connection: &mut PgConnection,
    progress: &Progress<'_>,
    open: &[Range<usize>],
    on_its_way: &OnItsWay,
) -> Result<HashMap<Uuid, DateTime<Utc>>, sqlx::Error> {
    let groups: Vec<Group<'_, '_>> = open.iter().map(|group| progress.group(group)).collect();
    on_its_way.sending();
    let rows = values::insert(&core.statements, &groups)
        .fetch_all(connection)
        .await;
    if !matches!(&rows, Err(error) if error::verdict(error) == Verdict::InDoubt) {
        on_its_way.answered();
    }
    rows?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// Tries each open group alone.
async fn one_by_one(
    core: &Core,
    connection: &mut PgConnection,
    progress: &mut Progress<'_>,
    on_its_way: &OnItsWay,
) -> Result<(), sqlx::Error> {
    for group in progress.open.clone() {
        let group = std::slice::from_ref(&group);
        match insert(core, connection, progress, group, on_its_way).await {
            Ok(stored) => progress.note(group, &stored),
            Err(error) if error::verdict(&error) == Verdict::Clash => {
                let before = progress.unknown();
                ask_about(core, connection, progress, group).await?;
                if progress.unknown() == before {
                    // Not one of ours: somebody has put a constraint of their own on our tables.
                    progress.fail(group, &error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Asks why the open groups did not come back.
async fn ask(
    core: &Core,
    connection: &mut PgConnection,
    progress: &mut Progress<'_>,
) -> Result<(), sqlx::Error> {
    let open = progress.open.clone();
    ask_about(core, connection, progress, &open).await
}

async fn ask_about(
    core: &Core,
    connection: &mut PgConnection,
    progress: &mut Progress<'_>,
    groups: &[Range<usize>],
) -> Result<(), sqlx::Error> {
    let writes: Vec<_> = groups
        .iter()
        .flat_map(|group| progress.group(group))
        .copied()
        .collect();
    let findings = why_refused(&core.statements.why, connection, &writes).await?;
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

    /// How many writes have no outcome yet.
    fn unknown(&self) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.is_none())
            .count()
    }

    /// Notes which of these groups came back.
    fn note(&mut self, groups: &[Range<usize>], stored: &HashMap<Uuid, DateTime<Utc>>) {
        for group in groups {
            let head = self.group(group).first().map(|write| write.first.head.id);
            if let Some(recorded_at) = head.and_then(|head| stored.get(&Uuid::from(head))) {
                for outcome in self.outcomes.iter_mut().take(group.end).skip(group.start) {
                    *outcome = Some(Ok(*recorded_at));
                }
                self.open.retain(|open| open != group);
            }
        }
    }

    /// Notes what was found out about the writes of a group, in their order. The first one that cannot be written takes with
    /// it all that build on it; those in front of it are a shorter group now.
    fn settle(&mut self, group: &Range<usize>, findings: &mut impl Iterator<Item = Finding>) {
        let mut waiting: Option<Range<usize>> = None;
        let mut failed = false;
        for (place, finding) in group.clone().zip(findings) {
            let Some(write) = self.writes.get(place) else {
                continue;
            };
            let outcome = match finding {
                Finding::Settled(outcome) => Some(outcome),
                _ if failed => Some(Err(conflict(&write.first))),
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
            if let Some(slot) = self.outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
        let open = self.open.iter().position(|open| open == group);
        match (open, waiting) {
            (Some(open), Some(waiting)) => self.open[open] = waiting,
            (Some(open), None) => drop(self.open.remove(open)),
            (None, _) => {}
        }
    }

    /// Notes that the database refuses a group for a reason of its own.
    fn fail(&mut self, groups: &[Range<usize>], error: &sqlx::Error) {
        for group in groups {
            for outcome in self.outcomes.iter_mut().take(group.end).skip(group.start) {
                let source = error.to_string().into();
                let error = AppendError::Store(StoreError::Database { source });
                outcome.get_or_insert(Err(error));
            }
            self.open.retain(|open| open != group);
        }
    }

    /// All outcomes. What nothing stood in the way of, again and again, lost a race each time.
    fn finish(self) -> Vec<Outcome> {
        let outcomes = self.outcomes.into_iter().zip(self.writes);
        outcomes
            .map(|(outcome, write)| outcome.unwrap_or_else(|| Err(conflict(&write.first))))
            .collect()
    }
}
