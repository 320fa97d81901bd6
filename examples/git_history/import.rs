//! Brings the logs up to date with the repository.

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

/// The number of logs that are read at the same time.
pub(crate) const READS_UNDER_WAY: usize = 16;

/// The two kinds of logs. Both are kept in one store.
#[derive(Debug, Clone)]
pub(crate) struct Logs {
    /// The lives of the files.
    pub(crate) files: LogManager<FileLife>,
    /// The one log of the import itself.
    pub(crate) imports: LogManager<Import>,
}

/// The result of an import.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// The number of commits that are new in the logs.
    pub(crate) new_commits: u64,
    /// The number of all commits in the logs.
    pub(crate) commits: u64,
    /// The events that were written, and those that were stored already.
    pub(crate) written: Written,
    /// The time it took to write them.
    pub(crate) elapsed: Duration,
    /// All lives in the logs.
    pub(crate) lives: Vec<LogId>,
}

/// The reason why the logs are not up to date. Events that were written stay, and the next run continues from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Git cannot read the history.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A commit does not fit the lives.
    #[error(transparent)]
    Misfit(#[from] MisfitError),
    /// The database has another history.
    #[error(
        "the database holds another history: commit {imported}, imported before, is not among the first parents of \
         HEAD. Was the history rewritten, is another branch checked out, or is this another repository? \
         Import it into a database of its own with --database FILE, or delete this one"
    )]
    OtherHistory {
        /// The last commit of the other history.
        imported: ObjectId,
    },
    /// Git printed fewer commits than it announced.
    #[error(
        "git announced {announced} commits, but printed {told}; check the repository with `git fsck`, then run again"
    )]
    Incomplete {
        /// The announced number of commits.
        announced: u64,
        /// The printed number of commits.
        told: u64,
    },
    /// An event cannot be stored.
    #[error("cannot store what commit {commit} did to log {log_id}")]
    Write {
        /// The life.
        log_id: LogId,
        /// The commit.
        commit: ObjectId,
        /// The error of the log manager.
        source: LogManagerError,
    },
    /// Another run moved the bookmark.
    #[error(transparent)]
    AnotherRun(#[from] AnotherRun),
    /// The bookmark cannot be written.
    #[error("cannot store the progress of the import")]
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
        // While the store writes this portion, git reads the next.
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

/// Returns the number of commits to import, if the history continues the one that was imported before.
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
    // A portion that was begun but not finished may have stored events, so its commits must still exist.
    for imported in [&import.begun, &import.finished].into_iter().flatten() {
        if repository.distance(Some(imported), head).await?.is_none() {
            return Err(other_history(imported));
        }
    }
    let distance = repository.distance(import.finished.as_ref(), head).await?;
    Ok(distance.unwrap_or_default())
}

/// Returns the lives after the last finished portion, and the ends of their logs at that time.
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

/// Returns a life after this many commits, and the end of its log at that time.
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
    // An interrupted run came further with this log than with others. Its current state has the file's latest path, but
    // the next commit refers to the earlier path. So the log is folded only up to the last finished commit.
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
