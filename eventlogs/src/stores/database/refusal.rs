//! Why a log cannot take an append: the rules that all databases share.

use crate::ids::EventId;
use crate::stores::encoding::write::EncodedAppend;
use crate::stores::error::AppendError;
use crate::stores::idempotency::Replay;
use crate::stores::request::Expected;

/// What a database holds of the log that an append is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct FoundLog<'a> {
    /// The kind of the log; `None` if it has no events.
    pub(in crate::stores) kind: Option<FoundKind<'a>>,
    /// The event at the index that the append wants.
    pub(in crate::stores) stored: Option<EventId>,
    /// The event before that index.
    pub(in crate::stores) predecessor: Option<EventId>,
}

/// The kind of a log as a database holds it.
#[derive(Debug, Clone, Copy)]
pub(in crate::stores) struct FoundKind<'a> {
    /// The number, which is stored with each event.
    pub(in crate::stores) number: i32,
    /// The name, which is stored with the first one.
    pub(in crate::stores) name: Option<&'a str>,
}

impl FoundKind<'_> {
    /// How messages call the kind.
    pub(in crate::stores) fn name(self) -> String {
        let number = || format!("kind {}", self.number);
        self.name.map_or_else(number, str::to_owned)
    }
}

impl EncodedAppend {
    /// Why the log cannot take the append, if it cannot.
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

    /// The error for a key that an earlier write used.
    pub(in crate::stores) fn key_used(&self, replay: Replay, kind: i32) -> AppendError {
        if self.log_type.accepts(kind) {
            AppendError::Replay(replay)
        } else {
            AppendError::KeyReused(replay)
        }
    }

    /// That somebody else was faster.
    pub(in crate::stores) const fn conflict(&self) -> AppendError {
        AppendError::Conflict {
            log_id: self.log_id,
            event_index: self.first_index,
        }
    }
}
