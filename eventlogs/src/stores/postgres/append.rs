//! Appending a batch: one guarded insert, and a look at what was refused.

use super::Core;
use super::error::{self, Verdict};
use super::refusal::why_refused;
use super::retry::{LOST_RACES, OnItsWay, until_answered};
use super::values;
use crate::stores::encoded::EncodedAppend;
use crate::stores::write_queue::Outcome;
use crate::stores::{AppendError, StoreError};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Appends a batch of which no two want the same log or the same key, and returns an outcome for each. One round trip,
/// unless something is refused or a connection breaks.
///
/// An attempt whose answer was lost is followed by one with the same ids. If the first one was carried out, the second is
/// refused by the very events that it wants to write, which tells.
pub(super) async fn append(
    core: &Core,
    batch: &[&EncodedAppend],
) -> Result<Vec<Outcome>, StoreError> {
    let on_its_way = OnItsWay::default();
    until_answered(core, &on_its_way, || attempt(core, batch, &on_its_way)).await
}

/// What is known of a batch.
struct Progress<'a> {
    /// In the order of the batch; `None` where nothing is known yet.
    outcomes: Vec<Option<Outcome>>,
    /// The batch.
    batch: &'a [&'a EncodedAppend],
}

async fn attempt(
    core: &Core,
    batch: &[&EncodedAppend],
    on_its_way: &OnItsWay,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let mut connection = core.writers.acquire().await?;
    let mut progress = Progress {
        outcomes: batch.iter().map(|_| None).collect(),
        batch,
    };
    for _ in 0..LOST_RACES {
        let open: Vec<_> = progress.open().map(|(_, append)| append).collect();
        let stored = match insert(core, &mut connection, &open, on_its_way).await {
            Ok(stored) => stored,
            // Somewhere in the batch a twin, whose other half has committed meanwhile, in another process. The statement has
            // written nothing; alone, each append meets its own fate only.
            Err(error) if error::verdict(&error) == Verdict::Clash => {
                one_by_one(core, &mut connection, &mut progress, on_its_way).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        progress.note(&stored);
        // Refused, so nothing is in doubt; a connection that breaks here only means another attempt.
        ask(core, &mut connection, &mut progress).await?;
        if progress.open().next().is_none() {
            return Ok(progress.finish());
        }
        // Nothing stands in the way of the others any more: what the statement ran into was rolled back before the look
        // at it. They are sent again.
    }
    Ok(progress.finish())
}

/// Sends the statement, and returns the recorded time of each append that it let in, by the id of its first event.
async fn insert(
    core: &Core,
    connection: &mut PgConnection,
    batch: &[&EncodedAppend],
    on_its_way: &OnItsWay,
) -> Result<HashMap<Uuid, DateTime<Utc>>, sqlx::Error> {
    on_its_way.sending();
    let rows = values::insert(&core.statements, batch)
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

/// Tries each append that is still open alone.
async fn one_by_one(
    core: &Core,
    connection: &mut PgConnection,
    progress: &mut Progress<'_>,
    on_its_way: &OnItsWay,
) -> Result<(), sqlx::Error> {
    let open: Vec<_> = progress.open().collect();
    for (place, append) in open {
        let stored = match insert(core, connection, &[append], on_its_way).await {
            Ok(stored) => stored.into_values().next().map(Ok),
            Err(error) if error::verdict(&error) == Verdict::Clash => {
                let why = why_refused(core, connection, append).await?;
                // Not one of ours: somebody has put a constraint of their own on our tables.
                Some(why.unwrap_or_else(|| Err(AppendError::Store(error::of(error)))))
            }
            Err(error) => return Err(error),
        };
        progress.settle(place, stored);
    }
    ask(core, connection, progress).await
}

/// Asks why appends did not come back.
async fn ask(
    core: &Core,
    connection: &mut PgConnection,
    progress: &mut Progress<'_>,
) -> Result<(), sqlx::Error> {
    let open: Vec<_> = progress.open().collect();
    for (place, append) in open {
        let why = why_refused(core, connection, append).await?;
        progress.settle(place, why);
    }
    Ok(())
}

impl<'a> Progress<'a> {
    /// The appends of which nothing is known yet, with their places in the batch.
    fn open(&self) -> impl Iterator<Item = (usize, &'a EncodedAppend)> + use<'a, '_> {
        let open = self.outcomes.iter().zip(self.batch).enumerate();
        open.filter(|(_, (outcome, _))| outcome.is_none())
            .map(|(place, (_, append))| (place, *append))
    }

    fn note(&mut self, stored: &HashMap<Uuid, DateTime<Utc>>) {
        for (outcome, append) in self.outcomes.iter_mut().zip(self.batch) {
            let head = append.events.first().map(|head| Uuid::from(head.id));
            if let Some(recorded_at) = head.and_then(|head| stored.get(&head)) {
                *outcome = Some(Ok(*recorded_at));
            }
        }
    }

    fn settle(&mut self, place: usize, outcome: Option<Outcome>) {
        if let Some(open) = self.outcomes.get_mut(place) {
            *open = outcome;
        }
    }

    /// All outcomes. What nothing stood in the way of, again and again, lost a race each time.
    fn finish(self) -> Vec<Outcome> {
        let outcomes = self.outcomes.into_iter().zip(self.batch);
        outcomes
            .map(|(outcome, append)| {
                outcome.unwrap_or(Err(AppendError::Conflict {
                    log_id: append.log_id,
                    event_index: append.first_index,
                }))
            })
            .collect()
    }
}
