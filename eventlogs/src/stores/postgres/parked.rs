//! Parked logs.

use crate::ids::LogId;
use crate::projection::parked::{ParkedLog, ParkedWish};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Returns a parked log from a row of `parked_list.sql`.
pub(super) fn parked_log(name: &str, row: &PgRow) -> Result<ParkedLog, sqlx::Error> {
    let wish: Option<&str> = row.try_get("wish")?;
    let by = row.try_get("wished_by")?;
    Ok(ParkedLog {
        name: name.to_owned(),
        log_id: LogId::from(row.try_get::<Uuid, _>("log_id")?),
        event_index: row.try_get::<i64, _>("event_index")?.cast_unsigned(),
        event_type: row.try_get("event_type")?,
        error: row.try_get("error")?,
        attempts: row.try_get::<i32, _>("attempts")?.cast_unsigned(),
        parked_at: row.try_get("parked_at")?,
        wish: wish.map(|wish| ParkedWish::from_stored(wish, by)),
    })
}
