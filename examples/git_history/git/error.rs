//! What can go wrong with git.

use super::parse::ParseError;
use super::version::OLDEST_GIT;
use std::io;
use std::path::PathBuf;

/// Git cannot answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// There is no git.
    #[error("cannot run git; install it, or check that it is in PATH")]
    CannotRun(#[source] io::Error),
    /// There is an old git.
    #[error("{found} is too old; install git {}.{} or newer", OLDEST_GIT.0, OLDEST_GIT.1)]
    TooOld {
        /// What it says of itself.
        found: String,
    },
    /// The path is something else.
    #[error("`{}` is in no git repository that can be read; give the path of one (git says: {said})", path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
        /// Git's own words.
        said: String,
    },
    /// Git started to answer, but failed.
    #[error("`git {command}` failed; repair the repository (git says: {said})")]
    Failed {
        /// What it was asked to do.
        command: &'static str,
        /// Its own words.
        said: String,
    },
    /// What it answers cannot be read from it.
    #[error("cannot read what `git {command}` prints")]
    Unreadable {
        /// What it was asked to do.
        command: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What it answers makes no sense.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// What git printed to its error output, on one line for a message.
pub(super) fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(" ")
    }
}
