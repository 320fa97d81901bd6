//! Brings the logs up to the state of the repository.

use crate::bookmark::{AnotherRun, Bookmark};
use crate::file_life::{FileEvent, FileLife};
use crate::git::{GitError, Head, ObjectId, Repository};
use crate::import_log::Import;
use crate::lives::{Lives, MisfitError};
use crate::portion::{LogEnds, Portion, Written};
use crate::progress;
use eventlogs::ids::LogId;
use eventlogs::{Aggregate, DecideError, EventRecord, LogManager, LogManagerError, LogState};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::pin::pin;
use std::time::{Duration, Instant};

/// How many logs are read at a time.
pub(crate) const READS_UNDER_WAY: usize = 16;

/// The two kinds of logs. Both are kept in one store.
#[derive(Debug, Clone)]
pub(crate) struct Logs {
    /// The lives of the files.
    pub(crate) files: LogManager<FileLife>,
    /// The one log of the import itself.
    pub(crate) imports: LogManager<Import>,
}

/// What an import did.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// Commits that are new in the logs.
    pub(crate) new_commits: u64,
    /// All commits in the logs.
    pub(crate) commits: u64,
    /// Events written, and found written.
    pub(crate) written: Written,
    /// How long it took to write them.
    pub(crate) elapsed: Duration,
    /// All lives in the logs.
    pub(crate) lives: Vec<LogId>,
}

/// Why the logs are not up to date. What was written before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Git cannot tell the history.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A commit does not fit on the lives.
    #[error(transparent)]
    Misfit(#[from] MisfitError),
    /// The database holds something else.
    #[error(
        "the database holds another history: commit {imported}, imported before, is not on the way from HEAD along the \
         first parents. Was the history rewritten, is another branch checked out, or is this another repository? \
         Import it into a database of its own with --database FILE, or delete this one"
    )]
    OtherHistory {
        /// The last commit of the other history.
        imported: ObjectId,
    },
    /// Git told less than it announced.
    #[error(
        "git announced {announced} commits, but told {told}; check the repository with `git fsck`, then run again"
    )]
    Incomplete {
        /// As many as should have come.
        announced: u64,
        /// As many as came.
        told: u64,
    },
    /// An event cannot be stored.
    #[error("cannot store what commit {commit} did to log {log_id}")]
    Write {
        /// The life.
        log_id: LogId,
        /// The commit.
        commit: ObjectId,
        /// What the log manager says.
        source: LogManagerError,
    },
    /// The log of the import moved on by itself.
    #[error(transparent)]
    AnotherRun(#[from] AnotherRun),
    /// The log of the import cannot be written.
    #[error("cannot store how far the import is")]
    Bookmark(#[source] DecideError<AnotherRun>),
    /// The logs cannot be read or written.
    #[error(transparent)]
    Logs(#[from] LogManagerError),
}

/// Imports the commits that are not in the logs yet.
pub(crate) async fn import(
    repository: &Repository,
    head: &Head,
    logs: &Logs,
) -> Result<Imported, ImportError> {
    let mut bookmark = Bookmark::find(&logs.imports).await?;
    let announced = commits_to_import(repository, head, bookmark.import()).await?;
    let Head::Commit(head) = head else {
        return Ok(Imported::default());
    };
    if announced == 0 {
        let Import { commits, lives, .. } = bookmark.into_import();
        return Ok(Imported {
            commits,
            lives,
            ..Imported::default()
        });
    }
    let (mut lives, mut ends) = lives_after(bookmark.import(), &logs.files).await?;
    let started = Instant::now();
    let mut history = repository.history(bookmark.import().finished.as_ref(), head)?;
    let mut written = Written::default();
    let mut new_commits = 0;
    let bar = progress::bar(announced, "commits");
    let mut portion = Portion::read(&mut history, &mut lives, bookmark.import().commits).await?;
    while let Some(through) = portion.through.take() {
        bookmark.begin(through).await?;
        let (commits, born) = (portion.commits, std::mem::take(&mut portion.born));
        let commits_before = bookmark.import().commits + commits;
        // While the store writes this portion, git looks for the next.
        let (of_portion, next) = tokio::try_join!(
            portion.write(&logs.files, &mut ends),
            Portion::read(&mut history, &mut lives, commits_before),
        )?;
        bookmark.finish(commits, &born).await?;
        written.new += of_portion.new;
        written.repeated += of_portion.repeated;
        new_commits += commits;
        bar.inc(commits);
        portion = next;
    }
    bar.finish_and_clear();
    if new_commits != announced {
        return Err(ImportError::Incomplete {
            announced,
            told: new_commits,
        });
    }
    let Import { commits, lives, .. } = bookmark.into_import();
    Ok(Imported {
        new_commits,
        commits,
        written,
        elapsed: started.elapsed(),
        lives,
    })
}

/// How many commits are to be imported, if the history goes on from what was imported before.
async fn commits_to_import(
    repository: &Repository,
    head: &Head,
    import: &Import,
) -> Result<u64, ImportError> {
    let other_history = |imported: &ObjectId| ImportError::OtherHistory {
        imported: imported.clone(),
    };
    let head = match (head, &import.begun) {
        (Head::Commit(head), _) => head,
        (Head::Unborn(_), Some(imported)) => return Err(other_history(imported)),
        (Head::Unborn(_), None) => return Ok(0),
    };
    // A portion that was only begun may have left events, too, so its commits must still be there.
    for imported in [&import.begun, &import.finished].into_iter().flatten() {
        if repository.distance(Some(imported), head).await?.is_none() {
            return Err(other_history(imported));
        }
    }
    let distance = repository.distance(import.finished.as_ref(), head).await?;
    Ok(distance.unwrap_or_default())
}

/// The lives as they were when the last portion was finished, and where their logs ended.
async fn lives_after(
    import: &Import,
    files: &LogManager<FileLife>,
) -> Result<(Lives, LogEnds), ImportError> {
    let (mut lives, mut ends) = (Lives::default(), LogEnds::default());
    let bar = progress::bar(import.lives.len() as u64, "logs read");
    let mut reduced = stream::iter(import.lives.iter().copied())
        .map(|log_id| life_after(files, log_id, import.commits))
        .buffer_unordered(READS_UNDER_WAY);
    while let Some((life, end)) = reduced.try_next().await? {
        lives.insert(end.log_id(), &life);
        ends.insert(end.log_id(), end);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((lives, ends))
}

/// A life as it was after so many commits, and where its log ended then.
async fn life_after(
    files: &LogManager<FileLife>,
    log_id: LogId,
    commits: u64,
) -> Result<(FileLife, LogState<FileEvent>), LogManagerError> {
    let aggregation = files.reduce(&log_id).await?;
    if aggregation.aggregate().last_commit <= commits {
        let end = aggregation.state();
        return Ok((aggregation.into_aggregate(), end));
    }
    // An interrupted run came further with this log than with others. Its present state says where the file is now, but
    // the next commit to come talks about where it was, so the log is folded only as far as all of them are.
    let mut life = FileLife::default();
    let mut end = aggregation.state();
    let mut records = pin!(files.stream(log_id, 0));
    while let Some(record) = records.try_next().await? {
        if record.event().edit().number > commits {
            break;
        }
        life.apply(&record);
        end = record.state();
    }
    Ok((life, end))
}
