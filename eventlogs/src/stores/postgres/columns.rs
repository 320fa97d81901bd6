//! The columns of a page.

use crate::stores::database::columns::column;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The numbers of the columns of `page.sql`.
#[derive(Clone, Copy)]
pub(super) struct PageColumns {
    pub(super) event_index: usize,
    pub(super) event_id: usize,
    pub(super) event_type: usize,
    pub(super) event_version: usize,
    pub(super) codec: usize,
    pub(super) occurred_at: usize,
    pub(super) recorded_at: usize,
    pub(super) left_out_bytes: usize,
    pub(super) kind: usize,
    pub(super) contents: ContentColumns,
}

impl PageColumns {
    pub(super) fn find(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            event_index: column(row, "event_index")?,
            event_id: column(row, "event_id")?,
            event_type: column(row, "event_type")?,
            event_version: column(row, "event_version")?,
            codec: column(row, "codec")?,
            occurred_at: column(row, "occurred_at")?,
            recorded_at: column(row, "recorded_at")?,
            left_out_bytes: column(row, "left_out_bytes")?,
            kind: column(row, "kind")?,
            contents: ContentColumns::find(row)?,
        })
    }

    pub(super) fn index(&self, row: &PgRow) -> Result<i64, sqlx::Error> {
        row.try_get(self.event_index)
    }

    /// Returns the size of an event that came without its payload.
    pub(super) fn left_out(&self, row: &PgRow) -> Result<Option<usize>, sqlx::Error> {
        let bytes: Option<i32> = row.try_get(self.left_out_bytes)?;
        Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(0)))
    }
}

/// The numbers of the columns that both `page.sql` and `large_events.sql` have.
#[derive(Clone, Copy)]
pub(super) struct ContentColumns {
    pub(super) payload: usize,
    pub(super) metadata: usize,
}

impl ContentColumns {
    pub(super) fn find(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            payload: column(row, "payload")?,
            metadata: column(row, "metadata")?,
        })
    }

    pub(super) fn payload<'r>(&self, row: &'r PgRow) -> Result<&'r [u8], sqlx::Error> {
        row.try_get(self.payload)
    }

    pub(super) fn metadata<'r>(&self, row: &'r PgRow) -> Result<Option<&'r [u8]>, sqlx::Error> {
        row.try_get(self.metadata)
    }
}
