//! The life at each path, and the events that a commit causes in the lives.

use crate::file_life::{Edit, FileEvent, FileLife, life_id};
use crate::git::{Action, Commit, FileKind, GitPath, ObjectId};
use eventlogs::ids::LogId;
use std::collections::HashMap;

/// The lives of existing files, by path.
#[derive(Debug, Default)]
pub(crate) struct Lives(HashMap<GitPath, Life>);

/// The part of a life that decides which event a change is.
#[derive(Debug, Clone, Copy)]
struct Life {
    /// Its log.
    log_id: LogId,
    /// The current kind of the file.
    kind: FileKind,
}

/// A commit does not fit the commits that were imported before it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MisfitError {
    /// It changes, moves or deletes a file that does not exist.
    #[error(
        "commit {commit} changes {path}, but no file is alive there; the database and the repository disagree: \
             import into a new one with --database FILE"
    )]
    NothingThere {
        /// The commit.
        commit: ObjectId,
        /// The path.
        path: GitPath,
    },
    /// It adds a file that exists already.
    #[error(
        "commit {commit} adds {path}, but a file is alive there; the database and the repository disagree: \
             import into a new one with --database FILE"
    )]
    AlreadyThere {
        /// The commit.
        commit: ObjectId,
        /// The path.
        path: GitPath,
    },
}

impl Lives {
    /// Adds a life that was reduced from its log. A deleted file is not added, because no path leads to it.
    pub(crate) fn insert(&mut self, log_id: LogId, life: &FileLife) {
        if let Some(content) = &life.content {
            self.0.insert(
                life.path.clone(),
                Life {
                    log_id,
                    kind: content.kind,
                },
            );
        }
    }

    /// Applies a commit, and returns one event for each life that it changes.
    ///
    /// The changes of a commit happen at the same time: in a swap, each file moves to the path that the other still has. So
    /// the first pass removes all files that leave a path, and the second adds all files that arrive at one.
    #[expect(
        clippy::too_many_lines,
        reason = "the two passes over the changes belong together: the second one needs what the first one collects"
    )]
    pub(crate) fn apply(
        &mut self,
        commit: &Commit,
        number: u64,
    ) -> Result<Vec<(LogId, FileEvent)>, MisfitError> {
        let nothing_there = |path: &GitPath| MisfitError::NothingThere {
            commit: commit.id.clone(),
            path: path.clone(),
        };
        let mut leaving = HashMap::new();
        for change in &commit.changes {
            let path = match &change.action {
                Action::Renamed { from, .. } => from,
                Action::Deleted => &change.path,
                Action::Added(_) | Action::Changed(_) => continue,
            };
            let life = self.0.remove(path).ok_or_else(|| nothing_there(path))?;
            leaving.insert(path.clone(), life);
        }

        let mut events = Vec::with_capacity(commit.changes.len());
        for change in &commit.changes {
            let edit = Edit {
                author: commit.author.clone(),
                commit: commit.id.clone(),
                number,
                lines: change.lines,
            };
            let path = &change.path;
            events.push(match &change.action {
                Action::Added(content) => {
                    let life = Life {
                        log_id: life_id(path, &commit.id),
                        kind: content.kind,
                    };
                    self.arrive(path, life, &commit.id)?;
                    (
                        life.log_id,
                        FileEvent::Added {
                            path: path.clone(),
                            content: content.clone(),
                            edit,
                        },
                    )
                }
                Action::Changed(content) => {
                    let life = self.0.get_mut(path).ok_or_else(|| nothing_there(path))?;
                    let content = content.clone();
                    let event = if life.kind == content.kind {
                        FileEvent::Modified { content, edit }
                    } else {
                        life.kind = content.kind;
                        FileEvent::KindChanged { content, edit }
                    };
                    (life.log_id, event)
                }
                Action::Renamed { from, content } => {
                    let life = leaving.get(from).ok_or_else(|| nothing_there(from))?;
                    let life = Life {
                        kind: content.kind,
                        ..*life
                    };
                    self.arrive(path, life, &commit.id)?;
                    (
                        life.log_id,
                        FileEvent::Renamed {
                            path: path.clone(),
                            content: content.clone(),
                            edit,
                        },
                    )
                }
                Action::Deleted => {
                    let life = leaving.get(path).ok_or_else(|| nothing_there(path))?;
                    (life.log_id, FileEvent::Deleted { edit })
                }
            });
        }
        Ok(events)
    }

    /// Puts a life at a path that must be free.
    fn arrive(&mut self, path: &GitPath, life: Life, commit: &ObjectId) -> Result<(), MisfitError> {
        match self.0.insert(path.clone(), life) {
            None => Ok(()),
            Some(_) => Err(MisfitError::AlreadyThere {
                commit: commit.clone(),
                path: path.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
