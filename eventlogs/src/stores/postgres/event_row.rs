//! A row with a stored event, as the statements for folds return it.

use crate::ids::{EventId, LogId};
use crate::stores::database::columns::column;
use crate::stores::encoding::decoded::StoredEvent;
use crate::stores::fold::PassedEvent;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Row, ValueRef};
use uuid::Uuid;

/// The microseconds from 1970 to 2000, where the server's time begins.
const SERVERS_BEGINNING: i64 = 946_684_800_000_000;

/// The numbers of the columns of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventColumns {
    event_index: usize,
    event_id: usize,
    event_type: usize,
    event_version: usize,
    codec: usize,
    payload: usize,
    recorded_at: usize,
    kind: usize,
    /// Of statements that return all that is stored with an event.
    record: Option<RecordColumns>,
}

/// The numbers of the columns that most aggregates do not look at.
#[derive(Debug, Clone, Copy)]
struct RecordColumns {
    occurred_at: usize,
    metadata: usize,
}

impl EventColumns {
    /// Finds the columns by their names.
    pub(super) fn find(row: &PgRow) -> Result<Self, sqlx::Error> {
        let record = || {
            Ok::<_, sqlx::Error>(RecordColumns {
                occurred_at: column(row, "occurred_at")?,
                metadata: column(row, "metadata")?,
            })
        };
        Ok(Self {
            event_index: column(row, "event_index")?,
            event_id: column(row, "event_id")?,
            event_type: column(row, "event_type")?,
            event_version: column(row, "event_version")?,
            codec: column(row, "codec")?,
            payload: column(row, "payload")?,
            recorded_at: column(row, "recorded_at")?,
            kind: column(row, "kind")?,
            record: record().ok(),
        })
    }
}

/// A row with a stored event.
///
/// The statements are the store's own, so the types of their columns are known, and are not compared for each row.
#[derive(Clone, Copy)]
pub(super) struct EventRow<'r> {
    row: &'r PgRow,
    columns: EventColumns,
}

impl<'r> EventRow<'r> {
    pub(super) const fn new(row: &'r PgRow, columns: EventColumns) -> Self {
        Self { row, columns }
    }

    pub(super) fn index(&self) -> Result<i64, sqlx::Error> {
        self.row.try_get_unchecked(self.columns.event_index)
    }

    pub(super) fn event_id(&self) -> Result<EventId, sqlx::Error> {
        let id: Uuid = self.row.try_get_unchecked(self.columns.event_id)?;
        Ok(id.into())
    }

    pub(super) fn kind(&self) -> Result<i32, sqlx::Error> {
        self.row.try_get_unchecked(self.columns.kind)
    }

    /// Returns the stored name and version.
    pub(super) fn event_type(&self) -> Result<(&'r str, i16), sqlx::Error> {
        Ok((
            self.row.try_get_unchecked(self.columns.event_type)?,
            self.row.try_get_unchecked(self.columns.event_version)?,
        ))
    }

    /// Returns the payload, unless it was left out.
    pub(super) fn payload(&self) -> Result<Option<&'r [u8]>, sqlx::Error> {
        self.row.try_get_unchecked(self.columns.payload)
    }

    /// Returns the number of the codec.
    pub(super) fn codec(&self) -> Result<i16, sqlx::Error> {
        self.row.try_get_unchecked(self.columns.codec)
    }

    /// Returns the position and the time of recording, unless they were left out.
    pub(super) fn place(&self, log_id: LogId) -> Result<Option<PassedEvent>, sqlx::Error> {
        let id: Option<Uuid> = self.row.try_get_unchecked(self.columns.event_id)?;
        let Some(id) = id else {
            return Ok(None);
        };
        let index = self.index()?.unsigned_abs();
        let recorded_at = self.recorded_at()?;
        Ok(Some(PassedEvent::new(
            log_id,
            index,
            id.into(),
            recorded_at,
        )))
    }

    pub(super) fn recorded_at(&self) -> Result<DateTime<Utc>, sqlx::Error> {
        time(self.row, self.columns.recorded_at).map(Option::unwrap_or_default)
    }

    /// Returns the event of the row, whose payload is known.
    pub(super) fn event(
        &self,
        log_id: LogId,
        payload: &'r [u8],
    ) -> Result<StoredEvent<'r>, sqlx::Error> {
        let (name, version) = self.event_type()?;
        let codec = self.codec()?;
        let (occurred_at, metadata) = match self.columns.record {
            Some(columns) => (
                time(self.row, columns.occurred_at)?,
                self.row.try_get_unchecked(columns.metadata)?,
            ),
            None => (None, None),
        };
        Ok(StoredEvent {
            log_id,
            index: self.index()?,
            event_id: self.event_id()?,
            name,
            version: version.into(),
            codec: codec.into(),
            payload,
            occurred_at,
            recorded_at: self.recorded_at()?,
            metadata,
        })
    }
}

/// Reads a time. The driver panics at an infinite time. This store writes none, and times order nothing, so the nearest time is
/// good enough.
fn time(row: &PgRow, column: usize) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(None);
    }
    if value.format() == PgValueFormat::Text {
        return row.try_get_unchecked(column);
    }
    let bytes = value.as_bytes().map_err(sqlx::Error::Decode)?;
    let bytes = bytes.try_into().map_err(|_| {
        sqlx::Error::Decode("a time of the server has eight bytes, and this one has not".into())
    })?;
    let microseconds = i64::from_be_bytes(bytes).saturating_add(SERVERS_BEGINNING);
    let nearest = if microseconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    Ok(Some(
        DateTime::from_timestamp_micros(microseconds).unwrap_or(nearest),
    ))
}
