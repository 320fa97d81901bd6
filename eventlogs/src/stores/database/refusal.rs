//! The rules for refusing an append, which all databases share.

use crate::ids::EventId;
use crate::stores::encoding::write::EncodedAppend;
use crate::stores::error::AppendError;
use crate::stores::idempotency::Replay;
use crate::stores::request::Expected;

/// The state of the log that an append is for, as a database returns it.
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

impl FoundKind<'_> {
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
        if !self.log_type.accepts(kind.number) {
            return Some(AppendError::WrongKind {
                log_id,
                found: kind.name(),
                expected: self.log_type.name(),
            });
        }
        let expected = self.expected.predecessor();
        let is_expected = |stored| expected.is_none_or(|id| id == stored);
        let is_free = found.stored.is_none() && found.predecessor.is_some_and(is_expected);
        (!is_free).then(|| self.conflict())
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
