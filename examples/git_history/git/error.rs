//! Errors of git.

use super::parse::ParseError;
use super::version::OLDEST_GIT;
use std::io;
use std::path::PathBuf;

/// An error of a git command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// Git cannot be started.
    #[error("cannot run git; install it, or check that it is in PATH")]
    CannotRun(#[source] io::Error),
    /// The version of git is too old.
    #[error("{found} is too old; install git {}.{} or newer", OLDEST_GIT.0, OLDEST_GIT.1)]
    TooOld {
        /// The version that git reports.
        found: String,
    },
    /// The path is in no repository.
    #[error("`{}` is in no git repository that can be read; give the path of one (git says: {said})", path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
        /// Git's own message.
        said: String,
    },
    /// Git started, but failed.
    #[error("`git {command}` failed; repair the repository (git says: {said})")]
    Failed {
        /// The git command.
        command: &'static str,
        /// Git's own message.
        said: String,
    },
    /// The output of git cannot be read.
    #[error("cannot read the output of `git {command}`")]
    Unreadable {
        /// The git command.
        command: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The output of git has another format than expected.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// Returns git's error output as one line, for a message.
pub(super) fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(" ")
    }
}
