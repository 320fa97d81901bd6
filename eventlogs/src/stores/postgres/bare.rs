//! Taking the rows of a log, one after the other, into a fold that needs the position of the last event only.

use crate::event::Event;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::encoding::decoded::{StoredEvent, signed};
use crate::stores::error::ReadError;
use crate::stores::fold::{BareFold, PassedEvent};
use crate::stores::postgres::event_row::EventRow;
use crate::stores::postgres::taking::{Plan, TakeError};
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;

/// Takes the rows of `contents.sql`.
pub(super) struct BareTaking<'p> {
    plan: &'p Plan,
    log_id: LogId,
    /// The event after which the fold starts, until its row was found.
    anchor: Option<LogPosition>,
    /// Whether the kind of the log was compared: all events of a log have one kind.
    knows_kind: bool,
    /// When the first event was recorded.
    created_at: Option<DateTime<Utc>>,
    /// The last event that has come with its position.
    last: Option<PassedEvent>,
    /// The index of the last event that was given.
    given: Option<u64>,
}

impl<'p> BareTaking<'p> {
    pub(super) const fn new(plan: &'p Plan, log_id: LogId, anchor: Option<LogPosition>) -> Self {
        Self {
            plan,
            log_id,
            anchor,
            knows_kind: false,
            created_at: None,
            last: None,
            given: None,
        }
    }

    /// Takes the next row.
    pub(super) fn take<E: Event>(
        &mut self,
        row: EventRow<'_>,
        fold: &mut dyn BareFold<E>,
    ) -> Result<ControlFlow<()>, TakeError> {
        let index = row.index()?;
        if let Some(anchor) = self.anchor {
            let is_there = index == signed(anchor.index())
                && match anchor.event_id() {
                    Some(expected) => row.event_id()? == expected,
                    None => true,
                };
            if !is_there {
                return Err(TakeError::Read(self.history_changed(anchor)));
            }
            self.anchor = None;
            return Ok(ControlFlow::Continue(()));
        }
        if !self.knows_kind {
            let kind = row.kind()?;
            if !E::LOG_TYPE.accepts(kind) {
                return Err(TakeError::OtherKind(kind));
            }
            self.knows_kind = true;
        }
        if let Some(place) = row.place(self.log_id)? {
            self.created_at.get_or_insert(place.recorded_at);
            self.last = Some(place);
        }
        let number = index.unsigned_abs();
        self.given = Some(number);
        let event_type = row.event_type()?;
        let payload = match row.payload()? {
            Some(payload) => payload,
            None if self.plan.ignores(event_type) => return Ok(fold.pass(number)),
            // A version that this code does not know, of an event that it ignores: the payload makes no difference to the error.
            None => &[],
        };
        let place = (self.log_id, index);
        let event = StoredEvent::decode_bare::<E>(place, event_type, row.codec()?, payload);
        Ok(fold.take(number, &event.map_err(TakeError::Read)?))
    }

    /// Ends the fold after all rows.
    pub(super) fn end<E>(self, fold: &mut dyn BareFold<E>) -> Result<(), TakeError> {
        if let Some(anchor) = self.anchor {
            return Err(TakeError::Read(self.history_changed(anchor)));
        }
        let Some(given) = self.given else {
            return Ok(());
        };
        match (self.created_at, self.last) {
            (Some(created_at), Some(last)) if last.index == given => {
                fold.end(created_at, last);
                Ok(())
            }
            _ => Err(TakeError::Store(sqlx::Error::Decode(
                "the last event of a log came without its position".into(),
            ))),
        }
    }

    const fn history_changed(&self, anchor: LogPosition) -> ReadError {
        ReadError::HistoryChanged {
            log_id: self.log_id,
            index: anchor.index(),
        }
    }
}
