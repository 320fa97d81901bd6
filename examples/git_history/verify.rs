//! The check: every log is reduced, and the files alive must be those in git's tree.

use crate::file_life::FileLife;
use crate::git::{Content, GitError, GitPath, ObjectId, Repository};
use crate::import::READS_UNDER_WAY;
use crate::progress;
use eventlogs::ids::LogId;
use eventlogs::{LogManager, LogManagerError};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// All files that ever existed.
#[derive(Debug, Default)]
pub(crate) struct Reduced {
    /// Each life and its number of events.
    pub(crate) lives: Vec<(FileLife, u64)>,
    /// The time it took to reduce them.
    pub(crate) elapsed: Duration,
}

/// A difference between the logs and git at one path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Git has a file that no log has.
    Missing(Content),
    /// A log has a file that git does not have.
    Surplus(Content),
    /// Both have a file, but with different content.
    Other {
        /// The content in the log.
        reduced: Content,
        /// The content in git.
        in_git: Content,
    },
    /// Two logs have a file at the same path.
    Twice(Content),
}

/// Reduces every log.
pub(crate) async fn reduce_all(
    files: &LogManager<FileLife>,
    lives: &[LogId],
) -> Result<Reduced, LogManagerError> {
    let started = Instant::now();
    let bar = progress::bar(lives.len() as u64, "logs reduced");
    let lives = stream::iter(lives.iter().copied())
        .map(|log_id| async move { files.reduce(&log_id).await })
        .buffer_unordered(READS_UNDER_WAY)
        .map_ok(|aggregation| {
            bar.inc(1);
            let events = aggregation.through_index() + 1;
            (aggregation.into_aggregate(), events)
        })
        .try_collect()
        .await?;
    bar.finish_and_clear();
    Ok(Reduced {
        lives,
        elapsed: started.elapsed(),
    })
}

/// Compares the existing files with those of a commit: path, kind and content.
pub(crate) async fn differences(
    reduced: &Reduced,
    repository: &Repository,
    commit: &ObjectId,
) -> Result<Vec<(GitPath, Difference)>, GitError> {
    let mut differences = Vec::new();
    let mut alive = BTreeMap::new();
    for (life, _) in &reduced.lives {
        if let Some(content) = &life.content
            && let Some(other) = alive.insert(&life.path, content)
        {
            differences.push((life.path.clone(), Difference::Twice(other.clone())));
        }
    }
    let mut tree = repository.tree(commit)?;
    while let Some((path, in_git)) = tree.next().await? {
        match alive.remove(&path) {
            Some(reduced) if *reduced == in_git => {}
            Some(reduced) => differences.push((
                path,
                Difference::Other {
                    reduced: reduced.clone(),
                    in_git,
                },
            )),
            None => differences.push((path, Difference::Missing(in_git))),
        }
    }
    let surplus = alive
        .into_iter()
        .map(|(path, content)| (path.clone(), Difference::Surplus(content.clone())));
    differences.extend(surplus);
    differences.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(differences)
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(in_git) => write!(formatter, "git has {in_git}, no log does"),
            Self::Surplus(reduced) => write!(formatter, "a log has {reduced}, git does not"),
            Self::Other { reduced, in_git } => {
                write!(formatter, "git has {in_git}, its log has {reduced}")
            }
            Self::Twice(reduced) => write!(
                formatter,
                "two logs have a file there, one of them {reduced}"
            ),
        }
    }
}
