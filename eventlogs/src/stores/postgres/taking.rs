//! Taking the rows of a log, one after the other, into a fold.

use crate::event::{Event, EventSchema};
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::RecordedEvent;
use crate::stores::encoding::decoded::signed;
use crate::stores::error::ReadError;
use crate::stores::fold::{EventFold, PassedEvent};
use crate::stores::page::ReadStart;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::event_row::{EventColumns, EventRow};
use crate::stores::postgres::statements::reads::Unwanted;
use crate::stores::postgres::statements::text::Statement;
use sqlx::postgres::PgRow;
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// The number of events of a log that come with their positions, to a fold that needs only the last one: looking up which one
/// that is costs the server as much as some of them.
const WITH_POSITIONS: i64 = 32;

/// What a fold needs of the rows of a log.
pub(super) struct Plan {
    /// The names and versions that are passed.
    ignored: Vec<(&'static str, i32)>,
    /// The same, as the statements compare them.
    unwanted: Unwanted,
}

impl Plan {
    pub(super) fn of<E: Event>(fold: &dyn EventFold<E>) -> Self {
        let ignored: Vec<_> = fold.needs().ignores(E::SCHEMA).collect();
        let mut unwanted = Unwanted::default();
        for (name, version) in &ignored {
            let mut entries = E::SCHEMA.iter().filter(|entry| entry.reads(name));
            let reads_others = entries.any(EventSchema::reads_other_versions);
            unwanted.add(name, *version, reads_others);
        }
        Self { ignored, unwanted }
    }

    /// All events, with all that is stored with them.
    pub(super) fn everything() -> Self {
        Self {
            ignored: Vec::new(),
            unwanted: Unwanted::default(),
        }
    }

    pub(super) fn ignores(&self, (name, version): (&str, i16)) -> bool {
        let mut ignored = self.ignored.iter();
        ignored.any(|(other, current)| *current == i32::from(version) && *other == name)
    }

    /// Returns the statement for a fold that takes records.
    pub(super) fn records(&self, core: &Core, log_id: LogId, first: i64) -> Statement<'static> {
        let statements = &core.statements.reads;
        statements.records(log_id, first, &self.unwanted)
    }

    /// Returns the statement for a fold that takes no records.
    pub(super) fn contents(&self, core: &Core, log_id: LogId, first: i64) -> Statement<'static> {
        let statements = &core.statements.reads;
        if self.unwanted.is_empty() {
            statements.contents(log_id, first, WITH_POSITIONS)
        } else {
            statements.wanted_contents(log_id, first, WITH_POSITIONS, &self.unwanted)
        }
    }

    /// Returns where the numbers of the columns of [`contents`](Plan::contents) are kept.
    pub(super) fn columns<'c>(&self, core: &'c Core) -> &'c OnceLock<EventColumns> {
        if self.unwanted.is_empty() {
            &core.columns.contents
        } else {
            &core.columns.wanted_contents
        }
    }
}

/// Returns the index of the first row for a fold that starts there, and the anchor, if it starts after an event.
pub(super) fn first_row(start: ReadStart) -> (i64, Option<LogPosition>) {
    match start {
        ReadStart::Index(index) => (signed(index), None),
        ReadStart::After(position) => (signed(position.index()), Some(position)),
    }
}

/// Takes the rows of a log, one after the other, into a fold.
pub(super) struct Taking<'p> {
    plan: &'p Plan,
    /// Whether the statement has left out the payloads of ignored events.
    are_filtered: bool,
    log_id: LogId,
    /// The event after which the fold starts, until its row was found.
    anchor: Option<LogPosition>,
    /// Whether the kind of the log was compared: all events of a log have one kind.
    knows_kind: bool,
}

/// What a row is.
pub(super) enum Next<E> {
    /// The event after which the fold starts.
    Anchor,
    /// The next event.
    Event(RecordedEvent<E>),
    /// The next event, which is ignored.
    Ignored(PassedEvent),
}

/// How many of some rows a fold took.
pub(super) enum Took {
    /// All.
    All,
    /// Some: it has stopped.
    Enough,
}

/// Why a row cannot be taken.
pub(super) enum TakeError {
    /// A column cannot be read.
    Store(sqlx::Error),
    /// The log is of the kind with this number.
    OtherKind(i32),
    /// The event was returned without its payload.
    LeftOut,
    /// The event cannot be decoded, or the log has another history.
    Read(ReadError),
}

impl From<sqlx::Error> for TakeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl<'p> Taking<'p> {
    pub(super) const fn new(plan: &'p Plan, log_id: LogId, anchor: Option<LogPosition>) -> Self {
        Self {
            plan,
            are_filtered: false,
            log_id,
            anchor,
            knows_kind: false,
        }
    }

    /// Expects rows of a statement that leaves out the payloads of ignored events.
    pub(super) fn filtered(self) -> Self {
        Self {
            are_filtered: true,
            ..self
        }
    }

    /// Takes the next row.
    pub(super) fn take<E: Event>(
        &mut self,
        row: EventRow<'_>,
        fold: &mut dyn EventFold<E>,
    ) -> Result<ControlFlow<()>, TakeError> {
        Ok(match self.next(row)? {
            Next::Anchor => ControlFlow::Continue(()),
            Next::Event(record) => fold.take(&record),
            Next::Ignored(event) => fold.pass(event),
        })
    }

    /// Decodes the next row.
    pub(super) fn next<E: Event>(&mut self, row: EventRow<'_>) -> Result<Next<E>, TakeError> {
        if let Some(anchor) = self.anchor {
            let is_there = row.index()? == signed(anchor.index())
                && match anchor.event_id() {
                    Some(expected) => row.event_id()? == expected,
                    None => true,
                };
            if !is_there {
                return Err(TakeError::Read(self.history_changed(anchor)));
            }
            self.anchor = None;
            return Ok(Next::Anchor);
        }
        if !self.knows_kind {
            let kind = row.kind()?;
            if !E::LOG_TYPE.accepts(kind) {
                return Err(TakeError::OtherKind(kind));
            }
            self.knows_kind = true;
        }
        let payload = row.payload()?;
        let may_be_ignored = payload.is_none() || !self.are_filtered;
        if may_be_ignored && !self.plan.ignored.is_empty() && self.plan.ignores(row.event_type()?) {
            return Ok(Next::Ignored(PassedEvent::new(
                self.log_id,
                row.index()?.unsigned_abs(),
                row.event_id()?,
                row.recorded_at()?,
            )));
        }
        let payload = match payload {
            Some(payload) => payload,
            // A version that this code does not know, of an event that it ignores: the payload makes no difference to the error.
            None if self.are_filtered => &[],
            None => return Err(TakeError::LeftOut),
        };
        let event = row.event(self.log_id, payload)?;
        event.decode().map(Next::Event).map_err(TakeError::Read)
    }

    /// Takes rows until the fold has enough.
    pub(super) fn take_all<'r, E: Event>(
        &mut self,
        rows: impl Iterator<Item = &'r PgRow>,
        fold: &mut dyn EventFold<E>,
    ) -> Result<Took, TakeError> {
        let mut columns = None;
        for row in rows {
            let columns = match columns {
                Some(columns) => columns,
                None => *columns.insert(EventColumns::find(row)?),
            };
            if self.take(EventRow::new(row, columns), fold)?.is_break() {
                return Ok(Took::Enough);
            }
        }
        Ok(Took::All)
    }

    /// Returns an error if the event after which the fold starts was not found.
    pub(super) fn end(self) -> Result<(), ReadError> {
        match self.anchor {
            Some(anchor) => Err(self.history_changed(anchor)),
            None => Ok(()),
        }
    }

    const fn history_changed(&self, anchor: LogPosition) -> ReadError {
        ReadError::HistoryChanged {
            log_id: self.log_id,
            index: anchor.index(),
        }
    }
}
