//! Reads what `git log -z --raw --numstat` prints.
//!
//! With `-z` every token ends with a NUL, but nothing separates the records. A commit looks like this, with `␀` for NUL:
//!
//! ```text
//! commit HASH␀AUTHOR NAME␀AUTHOR EMAIL␀AUTHOR TIME␀      from the format that read.rs asks for
//! ⏎:MODE MODE HASH HASH M␀PATH␀                          a change; only a commit's first one has the line break
//! :MODE MODE HASH HASH R093␀OLD PATH␀NEW PATH␀           a rename has two paths
//! 3⇥1⇥PATH␀                                              then the lines added and removed, for each change
//! -⇥-⇥␀OLD PATH␀NEW PATH␀                                for a binary file; a rename has an empty path first
//! ```
//!
//! Paths can contain anything, "commit …" and line breaks included. They are safe because they never occur where a record
//! can start: the parser knows from the tokens before what the next one must be.

use super::commit::{Action, Change, Commit, Lines};
use super::{Content, FileKind, GitPath, ObjectId};
use chrono::{DateTime, Utc};
use eventlogs::stores::Limits;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// The times that a store accepts. Times outside the range count as invalid.
const STORED: RangeInclusive<DateTime<Utc>> =
    Limits::EARLIEST_OCCURRED_AT..=Limits::LATEST_OCCURRED_AT;

/// Git's output does not have the format above.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParseError {
    /// A token in the wrong place.
    #[error(
        "cannot understand git's output: expected {expected}, found `{found}`; please report it with your version of git"
    )]
    Unexpected {
        /// The expected token.
        expected: &'static str,
        /// The token that was found.
        found: String,
    },
    /// The output ends in the middle of a record.
    #[error(
        "git's output ends where {expected} should follow; run again, and report it if it happens twice"
    )]
    Truncated {
        /// The expected token.
        expected: &'static str,
    },
}

/// Builds commits from tokens.
#[derive(Debug, Default)]
pub(crate) struct HistoryParser {
    /// The commit that is being read.
    commit: Option<Commit>,
    /// The index of each path among the commit's changes, for the counts that follow.
    places: HashMap<GitPath, usize>,
    /// The expected kind of the next token.
    next: Next,
}

/// The expected kind of the next token, with the values of the tokens before.
#[derive(Debug, Default)]
enum Next {
    /// A commit, a change or a count.
    #[default]
    Record,
    /// The author's name.
    Name,
    /// The author's email address.
    Email,
    /// The author's time.
    Time,
    /// The only path of a change.
    Path(Action),
    /// The old path of a rename.
    RenamedFrom(Content),
    /// The new path of a rename.
    RenamedTo(Action),
    /// The old path of a rename's count.
    CountedFrom(Option<Lines>),
    /// The new path of a rename's count.
    CountedTo(Option<Lines>),
}

impl HistoryParser {
    /// Takes one token, without its NUL. Returns a commit when the token starts the next one.
    pub(crate) fn token(&mut self, token: Vec<u8>) -> Result<Option<Commit>, ParseError> {
        match (std::mem::take(&mut self.next), &mut self.commit) {
            (Next::Record, _) => return self.record(&token),
            (Next::Name, Some(commit)) => {
                commit.author = String::from_utf8_lossy(&token).into_owned();
                self.next = Next::Email;
            }
            (Next::Email, Some(commit)) => {
                commit.author = format!("{} <{}>", commit.author, String::from_utf8_lossy(&token));
                self.next = Next::Time;
            }
            // Old commits can have invalid times. They do not affect the files, so the import goes on without a time.
            (Next::Time, Some(commit)) => {
                let seconds = str::from_utf8(&token)
                    .ok()
                    .and_then(|text| text.parse().ok());
                commit.authored_at = seconds
                    .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
                    .filter(|time| STORED.contains(time));
            }
            (Next::Path(action) | Next::RenamedTo(action), Some(commit)) => {
                let path = GitPath::new(token);
                self.places.insert(path.clone(), commit.changes.len());
                commit.changes.push(Change {
                    path,
                    action,
                    lines: None,
                });
            }
            (Next::RenamedFrom(content), _) => {
                self.next = Next::RenamedTo(Action::Renamed {
                    from: GitPath::new(token),
                    content,
                });
            }
            (Next::CountedFrom(lines), _) => self.next = Next::CountedTo(lines),
            (Next::CountedTo(lines), _) => self.count(token, lines)?,
            (_, None) => return Err(ParseError::unexpected("a commit", &token)),
        }
        Ok(None)
    }

    /// Ends the input and returns the last commit.
    pub(crate) fn finish(self) -> Result<Option<Commit>, ParseError> {
        let expected = match self.next {
            Next::Record => return Ok(self.commit),
            Next::Name => "an author's name",
            Next::Email => "an author's email address",
            Next::Time => "an author's time",
            Next::Path(_) | Next::RenamedFrom(_) | Next::RenamedTo(_) => "the path of a change",
            Next::CountedFrom(_) | Next::CountedTo(_) => "the path of a count of lines",
        };
        Err(ParseError::Truncated { expected })
    }

    /// Handles the first token of a record.
    fn record(&mut self, token: &[u8]) -> Result<Option<Commit>, ParseError> {
        let token = token.strip_prefix(b"\n").unwrap_or(token);
        if let Some(id) = token.strip_prefix(b"commit ") {
            let id = ObjectId::parse(id)
                .ok_or_else(|| ParseError::unexpected("the hash of a commit", token))?;
            let begun = Commit {
                id,
                author: String::new(),
                authored_at: None,
                changes: Vec::new(),
            };
            self.places.clear();
            self.next = Next::Name;
            return Ok(self.commit.replace(begun));
        }
        if let Some(change) = token.strip_prefix(b":") {
            self.next =
                change_record(change).ok_or_else(|| ParseError::unexpected("a change", token))?;
            return Ok(None);
        }
        let (lines, path) = count_record(token)
            .ok_or_else(|| ParseError::unexpected("a commit, a change or a count", token))?;
        if path.is_empty() {
            self.next = Next::CountedFrom(lines);
        } else {
            self.count(path.to_vec(), lines)?;
        }
        Ok(None)
    }

    /// Adds the counted lines to the change at their path.
    fn count(&mut self, path: Vec<u8>, lines: Option<Lines>) -> Result<(), ParseError> {
        let path = GitPath::new(path);
        let place = self.places.get(&path).copied();
        let changes = self.commit.as_mut().map(|commit| &mut commit.changes);
        match changes
            .zip(place)
            .and_then(|(changes, place)| changes.get_mut(place))
        {
            Some(change) => change.lines = lines,
            None => {
                return Err(ParseError::unexpected(
                    "a count for one of the changed paths",
                    path.as_bytes(),
                ));
            }
        }
        Ok(())
    }
}

/// Reads `MODE MODE HASH HASH STATUS`. The status says which token comes next.
fn change_record(record: &[u8]) -> Option<Next> {
    let mut fields = record.split(|&byte| byte == b' ');
    let (_old_mode, mode, _old_object, object, status) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let status = *status.first()?;
    if status == b'D' {
        return Some(Next::Path(Action::Deleted));
    }
    let content = Content {
        kind: FileKind::from_mode(mode)?,
        object: ObjectId::parse(object)?,
    };
    match status {
        b'A' => Some(Next::Path(Action::Added(content))),
        b'M' | b'T' => Some(Next::Path(Action::Changed(content))),
        b'R' => Some(Next::RenamedFrom(content)),
        _ => None,
    }
}

/// Reads `ADDED⇥REMOVED⇥PATH`.
fn count_record(record: &[u8]) -> Option<(Option<Lines>, &[u8])> {
    let mut fields = record.splitn(3, |&byte| byte == b'\t');
    let (added, removed, path) = (fields.next()?, fields.next()?, fields.next()?);
    if added == b"-" && removed == b"-" {
        return Some((None, path));
    }
    let number = |field: &[u8]| str::from_utf8(field).ok()?.parse().ok();
    Some((
        Some(Lines {
            added: number(added)?,
            removed: number(removed)?,
        }),
        path,
    ))
}

impl ParseError {
    /// Makes the error for a token. It shows the token like a path, since it may be one.
    pub(super) fn unexpected(expected: &'static str, token: &[u8]) -> Self {
        Self::Unexpected {
            expected,
            found: GitPath::new(token).to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
