//! Reads a repository through git.
//!
//! The commands set every option that git's configuration could change, and remove every variable that could lead git to
//! another repository. So the same repository gives the same events on every machine.

mod commit;
mod error;
mod object;
mod parse;
mod path;
mod read;
mod tokens;
mod version;

#[cfg(test)]
pub(crate) use commit::Change;
pub(crate) use commit::{Action, Commit, Lines};
pub(crate) use error::GitError;
pub(crate) use object::{Content, FileKind, ObjectId};
pub(crate) use path::GitPath;
pub(crate) use read::{History, Tree};

use error::said;
use std::path::{Path, PathBuf};
use std::process::Output;
use tokens::Tokens;
use tokio::process::Command;

/// Variables that lead git to other places than the given path. Hooks have them set, for example.
const MISLEADING_VARIABLES: [&str; 11] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// A repository that git can read.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The path that was given.
    path: PathBuf,
    /// The folder that holds the repository's data, in full.
    git_dir: GitPath,
}

/// The end of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Head {
    /// The history ends with this commit.
    Commit(ObjectId),
    /// There is no history: this branch has no commits yet.
    Unborn(GitPath),
}

impl Repository {
    /// Finds the repository that a path is in.
    pub(crate) async fn open(path: &Path) -> Result<Self, GitError> {
        version::check(git()).await?;
        let mut repository = Self {
            path: path.to_owned(),
            git_dir: GitPath::default(),
        };
        let answer = repository.ask(&["rev-parse", "--absolute-git-dir"]).await?;
        if !answer.status.success() {
            return Err(GitError::NotARepository {
                path: path.to_owned(),
                said: said(&answer.stderr),
            });
        }
        repository.git_dir =
            GitPath::new(answer.stdout.strip_suffix(b"\n").unwrap_or(&answer.stdout));
        Ok(repository)
    }

    /// Returns the folder that holds the repository's data. It is the same for every folder of the work tree.
    pub(crate) const fn git_dir(&self) -> &GitPath {
        &self.git_dir
    }

    /// Returns the current end of the history.
    pub(crate) async fn head(&self) -> Result<Head, GitError> {
        if let Some(commit) = self.resolve("HEAD").await? {
            return Ok(Head::Commit(commit));
        }
        let answer = self.ask(&["symbolic-ref", "HEAD"]).await?;
        if answer.status.success() {
            Ok(Head::Unborn(GitPath::new(answer.stdout.trim_ascii())))
        } else {
            Err(GitError::Failed {
                command: "symbolic-ref HEAD",
                said: said(&answer.stderr),
            })
        }
    }

    /// Returns the number of commits after `base` up to `head`, along the first parents; `None` if the first parents of
    /// `head` do not lead to `base`. Without a base, it counts the whole history.
    pub(crate) async fn distance(
        &self,
        base: Option<&ObjectId>,
        head: &ObjectId,
    ) -> Result<Option<u64>, GitError> {
        if let Some(base) = base
            && self
                .resolve(&format!("{}^{{commit}}", base.as_str()))
                .await?
                .is_none()
        {
            return Ok(None);
        }
        let answer = self
            .ask(&[
                "rev-list",
                "--first-parent",
                "--count",
                &range(base, head),
                "--",
            ])
            .await?;
        let count = str::from_utf8(answer.stdout.trim_ascii())
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        let Some(count) = count.filter(|_| answer.status.success()) else {
            return Err(GitError::Failed {
                command: "rev-list",
                said: said(&answer.stderr),
            });
        };
        // If the first parents lead to the base, there is one step per commit that the base does not contain.
        let reached = match base {
            Some(base) => {
                self.resolve(&format!("{}~{count}", head.as_str()))
                    .await?
                    .as_ref()
                    == Some(base)
            }
            None => true,
        };
        Ok(reached.then_some(count))
    }

    /// Returns the commits after `base` up to `head`, oldest first, each compared with its first parent.
    pub(crate) fn history(
        &self,
        base: Option<&ObjectId>,
        head: &ObjectId,
    ) -> Result<History, GitError> {
        let mut command = self.command();
        command
            .arg("log")
            .args(read::LOG_OPTIONS)
            .arg(range(base, head))
            .arg("--");
        Ok(History {
            tokens: Tokens::start(command, "log")?,
            parser: Some(parse::HistoryParser::default()),
        })
    }

    /// Returns the files of a commit.
    pub(crate) fn tree(&self, commit: &ObjectId) -> Result<Tree, GitError> {
        let mut command = self.command();
        // Without `--full-tree`, git would list only the current folder of the work tree.
        command.args(["ls-tree", "-r", "-z", "--full-tree", commit.as_str()]);
        Ok(Tree {
            tokens: Tokens::start(command, "ls-tree")?,
        })
    }

    /// Returns the object that a name refers to, if there is one.
    async fn resolve(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        let answer = self
            .ask(&["rev-parse", "--verify", "--quiet", name])
            .await?;
        Ok(ObjectId::parse(answer.stdout.trim_ascii()).filter(|_| answer.status.success()))
    }

    /// Runs a git command with a short output.
    async fn ask(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.command()
            .args(arguments)
            .output()
            .await
            .map_err(GitError::CannotRun)
    }

    /// Makes a git command in this repository.
    fn command(&self) -> Command {
        let mut command = git();
        command.arg("-C").arg(&self.path);
        command
    }
}

/// Makes a git command in an environment that does not change its output.
fn git() -> Command {
    let mut command = Command::new("git");
    command
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0");
    // A replaced commit has other content under the same hash, and events must match the hash that they name.
    command.env("GIT_NO_REPLACE_OBJECTS", "1");
    for variable in MISLEADING_VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Returns git's notation for the commits after `base` up to `head`.
fn range(base: Option<&ObjectId>, head: &ObjectId) -> String {
    match base {
        Some(base) => format!("{}..{}", base.as_str(), head.as_str()),
        None => head.as_str().to_owned(),
    }
}
