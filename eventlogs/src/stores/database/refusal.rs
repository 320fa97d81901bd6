//! The rules for refusing an append, which all databases share.

use crate::event::LogType;
use crate::ids::{EventId, LogId};
use crate::stores::encoding::write::{EncodedAppend, Requirement};
use crate::stores::error::AppendError;
use crate::stores::idempotency::Replay;
use crate::stores::request::Expected;

/// The state of a log that an append is for or requires, as a database returns it.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct FoundLog<'a> {
    /// The kind of the log; `None` if it has no events.
    pub(in crate::stores) kind: Option<FoundKind<'a>>,
    /// The id of the event that is stored at the first index of the append.
    pub(in crate::stores) stored: Option<EventId>,
    /// The id of the event before that index.
    pub(in crate::stores) predecessor: Option<EventId>,
}

/// The kind of a log as a database holds it.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct FoundKind<'a> {
    /// The number, which is stored with each event.
    pub(in crate::stores) number: i32,
    /// The name, which is stored with the first event.
    pub(in crate::stores) name: Option<&'a str>,
}

impl FoundLog<'_> {
    /// Returns `true` if the log ends where a write expects, which is after an event.
    fn ends_at(&self, expected: Expected) -> bool {
        let expected = expected.predecessor();
        let is_expected = |stored| expected.is_none_or(|id| id == stored);
        self.stored.is_none() && self.predecessor.is_some_and(is_expected)
    }
}

impl FoundKind<'_> {
    /// Returns the error if a log of this kind is taken for one of another kind.
    fn refused_by(self, log_id: LogId, log_type: LogType) -> Option<AppendError> {
        (!log_type.accepts(self.number)).then(|| AppendError::WrongKind {
            log_id,
            found: self.name(),
            expected: log_type.name(),
        })
    }

    /// Returns the name of the kind for messages.
    pub(in crate::stores) fn name(self) -> String {
        let number = || format!("kind {}", self.number);
        self.name.map_or_else(number, str::to_owned)
    }
}

impl EncodedAppend {
    /// Returns the error if the log cannot take the append, or `None` if it can.
    pub(in crate::stores) fn refused_by(&self, found: FoundLog<'_>) -> Option<AppendError> {
        let log_id = self.log_id;
        if self.expected == Expected::NewLog {
            let exists = AppendError::LogAlreadyExists { log_id };
            return found.stored.map(|_| exists);
        }
        let Some(kind) = found.kind else {
            return Some(AppendError::LogNotFound { log_id });
        };
        let other_kind = kind.refused_by(log_id, self.log_type);
        other_kind.or_else(|| (!found.ends_at(self.expected)).then(|| self.conflict()))
    }

    /// Returns the error for an idempotency key that an earlier write used.
    pub(in crate::stores) fn key_used(&self, replay: Replay, kind: i32) -> AppendError {
        if self.log_type.accepts(kind) {
            AppendError::Replay(replay)
        } else {
            AppendError::KeyReused(replay)
        }
    }

    /// Returns the error for an append that another one preceded.
    pub(in crate::stores) const fn conflict(&self) -> AppendError {
        AppendError::Conflict {
            log_id: self.log_id,
            event_index: self.first_index,
        }
    }
}

impl Requirement {
    /// Returns the error if the requirement does not hold, or `None` if it does.
    pub(in crate::stores) fn refused_by(&self, found: FoundLog<'_>) -> Option<AppendError> {
        if self.expected == Expected::NewLog {
            return found.stored.map(|_| self.conflict());
        }
        let Some(kind) = found.kind else {
            return Some(self.conflict());
        };
        let other_kind = kind.refused_by(self.log_id, self.log_type);
        other_kind.or_else(|| (!found.ends_at(self.expected)).then(|| self.conflict()))
    }

    /// Returns the error for a log that does not end where it must.
    pub(in crate::stores) const fn conflict(&self) -> AppendError {
        AppendError::Conflict {
            log_id: self.log_id,
            event_index: self.expected.next_index(),
        }
    }
}
