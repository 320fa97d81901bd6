//! Parked logs.

use crate::ids::LogId;
use crate::projection::parked::{ParkedLog, ParkedWish};
use crate::stores::sqlite::read;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

/// Returns a parked log from a row of `parked_list.sql`.
pub(super) fn parked_log(name: &str, row: &SqliteRow) -> Result<ParkedLog, sqlx::Error> {
    let log_id: &[u8] = row.try_get("log_id")?;
    let log_id = Uuid::from_slice(log_id).map_err(|problem| sqlx::Error::Decode(problem.into()))?;
    let wish: Option<&str> = row.try_get("wish")?;
    let by = row.try_get("wished_by")?;
    Ok(ParkedLog {
        name: name.to_owned(),
        log_id: LogId::from(log_id),
        event_index: row.try_get::<i64, _>("event_index")?.cast_unsigned(),
        event_type: row.try_get("event_type")?,
        error: row.try_get("error")?,
        attempts: row.try_get("attempts")?,
        parked_at: read::time(row.try_get("parked_at")?),
        wish: wish.map(|wish| ParkedWish::from_stored(wish, by)),
    })
}
