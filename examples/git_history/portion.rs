//! A portion of the history: read from git as a whole, written to the store as a whole.

use crate::file_life::{FileEvent, FileLife};
use crate::git::{History, ObjectId};
use crate::import::ImportError;
use crate::lives::Lives;
use chrono::{DateTime, Utc};
use eventlogs::ids::LogId;
use eventlogs::{AppendOptions, CreateOptions, LogManager, LogManagerError, LogState};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;

/// A portion ends after this many events. That bounds the memory, and the work that is repeated after an interruption. Within a
/// portion, writes to different logs may overtake one another.
const EVENTS: usize = 2_000;

/// A portion of commits that touch few files ends after this many commits.
const COMMITS: u64 = 500;

/// The number of appends in flight. The store writes waiting appends in one transaction, so many make the import fast; with
/// one, each event would be a transaction of its own.
const APPENDS_UNDER_WAY: usize = 64;

/// Several successive commits, as events.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    /// The last commit; `None` for the portion after the last commit.
    pub(crate) through: Option<ObjectId>,
    /// The number of commits.
    pub(crate) commits: u64,
    /// The lives that begin in it.
    pub(crate) born: Vec<LogId>,
    /// The events of each life, in order.
    chains: HashMap<LogId, Vec<Step>>,
}

/// An event to append to a log.
#[derive(Debug)]
struct Step {
    /// The event.
    event: FileEvent,
    /// The time at which it happened, by the author's clock.
    occurred_at: Option<DateTime<Utc>>,
}

/// The end of each log.
pub(crate) type LogEnds = HashMap<LogId, LogState<FileEvent>>;

/// Numbers of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// New events.
    pub(crate) new: u64,
    /// Events that an interrupted run had stored already.
    pub(crate) repeated: u64,
}

impl Portion {
    /// Reads the next portion; `commits_before` is the number of commits before it.
    pub(crate) async fn read(
        history: &mut History,
        lives: &mut Lives,
        commits_before: u64,
    ) -> Result<Self, ImportError> {
        let mut portion = Self::default();
        let mut events = 0;
        while events < EVENTS && portion.commits < COMMITS {
            let Some(commit) = history.next().await? else {
                break;
            };
            portion.commits += 1;
            portion.through = Some(commit.id.clone());
            for (log_id, event) in lives.apply(&commit, commits_before + portion.commits)? {
                if matches!(event, FileEvent::Added { .. }) {
                    portion.born.push(log_id);
                }
                let step = Step {
                    event,
                    occurred_at: commit.authored_at,
                };
                portion.chains.entry(log_id).or_default().push(step);
                events += 1;
            }
        }
        Ok(portion)
    }

    /// Writes all events: those of one life in order, those of different lives at the same time.
    pub(crate) async fn write(
        self,
        files: &LogManager<FileLife>,
        ends: &mut LogEnds,
    ) -> Result<Written, ImportError> {
        let mut chains: Vec<_> = self.chains.into_iter().collect();
        // Each event of a chain waits for the one before, so the portion takes as long as its longest chain.
        chains.sort_unstable_by_key(|(_, steps)| std::cmp::Reverse(steps.len()));

        let mut writes = stream::iter(chains)
            .map(|(log_id, steps)| write_chain(files, log_id, ends.get(&log_id).copied(), steps))
            .buffer_unordered(APPENDS_UNDER_WAY);
        let mut written = Written::default();
        let mut moved = Vec::new();
        while let Some((end, of_chain)) = writes.try_next().await? {
            written.new += of_chain.new;
            written.repeated += of_chain.repeated;
            moved.extend(end.map(|end| (end.log_id(), end)));
        }
        drop(writes);
        ends.extend(moved);
        Ok(written)
    }
}

/// Writes the events of one life. Creates the log with the first event, or continues after `end`.
async fn write_chain(
    files: &LogManager<FileLife>,
    log_id: LogId,
    mut end: Option<LogState<FileEvent>>,
    steps: Vec<Step>,
) -> Result<(Option<LogState<FileEvent>>, Written), ImportError> {
    let mut written = Written::default();
    for Step { event, occurred_at } in steps {
        // No commit changes a life twice, so life and commit identify the event in every run.
        let idempotency_key = Some(format!("{log_id} {}", event.edit().commit.as_str()));
        let result = match end {
            None => {
                let options = CreateOptions {
                    idempotency_key,
                    occurred_at,
                    ..Default::default()
                };
                files.create(&log_id, &event, &options).await
            }
            Some(end) => {
                let options = AppendOptions {
                    idempotency_key,
                    occurred_at,
                    ..Default::default()
                };
                files.append(end, &event, &options).await
            }
        };
        end = Some(match result {
            Ok(state) => {
                written.new += 1;
                state
            }
            // An interrupted run has stored this event already. It is the same event.
            Err(LogManagerError::IdempotentReplay { state, .. }) => {
                written.repeated += 1;
                state.into()
            }
            Err(source) => {
                return Err(ImportError::Write {
                    log_id,
                    commit: event.edit().commit.clone(),
                    source,
                });
            }
        });
    }
    Ok((end, written))
}
