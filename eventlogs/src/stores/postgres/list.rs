//! Lists of logs. A list changes nothing, so if its connection breaks it is simply read again.

use crate::cursor::{Cursor, Place};
use crate::event::LogType;
use crate::ids::{EventId, LogId};
use crate::log_state::LogPosition;
use crate::stores::database::list::first_id;
use crate::stores::error::store::StoreError;
use crate::stores::list::cursor::{ListCursor, ListStart, SeenChanges};
use crate::stores::list::{ListRequest, ListedLog, LogList};
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::listing::{ChangesBefore, ListBounds};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// A place after all events.
const AFTER_ALL: Place = Place {
    epoch: u32::MAX,
    tx: u64::MAX,
    position: u64::MAX,
};

/// Lists the logs of one kind.
pub(super) async fn page<E>(
    core: &Core,
    request: &ListRequest,
    log_type: LogType,
) -> Result<LogList<E>, StoreError> {
    let operation = core.reading();
    let limit = request.limit;
    match &request.start {
        ListStart::Id(after) => {
            let Some(first) = first_id(*after) else {
                return Ok(LogList::default());
            };
            let looked = ListRequest::MOST_LOGS;
            let bounds = ListBounds {
                log_type,
                limit,
                looked,
            };
            retry::read(&operation, || by_id(core, &operation, first, bounds)).await
        }
        ListStart::NewestChange(seen) => {
            let looked = ListRequest::MOST_CHANGES;
            let bounds = ListBounds {
                log_type,
                limit,
                looked,
            };
            let seen = seen.as_ref();
            retry::read(&operation, || by_change(core, &operation, seen, bounds)).await
        }
    }
}

async fn by_id<E>(
    core: &Core,
    operation: &Operation<'_>,
    first: Uuid,
    bounds: ListBounds,
) -> Result<LogList<E>, AttemptError> {
    let mut connection = operation.lease().await?;
    let statement = core.statements.list_by_id(first, bounds);
    let rows = connection.rows(statement).await?;
    connection.give_back();
    let mut page = LogList::default();
    for row in &rows {
        page.looked_at = looked(row)?;
        let log_id: Option<Uuid> = row.try_get("log_id")?;
        page.next = log_id.map(|log_id| ListCursor::from(LogId::from(log_id)));
        page.logs.extend(listed(row)?);
    }
    Ok(page)
}

async fn by_change<E>(
    core: &Core,
    operation: &Operation<'_>,
    seen: Option<&SeenChanges>,
    bounds: ListBounds,
) -> Result<LogList<E>, AttemptError> {
    let mut connection = operation.lease().await?;
    let before = ChangesBefore {
        place: seen.map_or(AFTER_ALL, |seen| seen.last().place()),
        epoch: seen.map_or(0, |seen| seen.top().place().epoch),
        snapshot: seen.map(snapshot),
    };
    let statement = core.statements.list_by_change(before, bounds);
    let rows = connection.rows(statement).await?;
    connection.give_back();
    let mut page = LogList::default();
    let mut seen = seen.cloned();
    for row in &rows {
        let looked = looked(row)?;
        if looked == 0 {
            seen = Some(first_page(row)?);
            continue;
        }
        page.looked_at = looked;
        let last = Place {
            tx: unsigned(row, "tx")?,
            position: unsigned(row, "position")?,
            epoch: epoch(row)?,
        };
        seen = seen.map(|seen| seen.down_to(Cursor::new(last, None)));
        let was_all = looked < bounds.looked && row.try_get("is_last")?;
        page.next = seen.clone().filter(|_| !was_all).map(ListCursor::from);
        page.logs.extend(listed(row)?);
    }
    Ok(page)
}

/// Returns what a list begins with, from the row about its first page.
fn first_page(row: &PgRow) -> Result<SeenChanges, sqlx::Error> {
    let text: &str = row.try_get("snapshot")?;
    let unreadable = || sqlx::Error::Decode(format!("`{text}` is not a snapshot").into());
    let (end, running) = read_snapshot(text).ok_or_else(unreadable)?;
    let top = Cursor::from_parts(epoch(row)?, end, 0, None);
    Ok(SeenChanges::new(top, top).with_running(running))
}

/// Reads the text of a `pg_snapshot`: the first transaction that had no number yet, and those that were running.
fn read_snapshot(text: &str) -> Option<(u64, Vec<u64>)> {
    let mut parts = text.splitn(3, ':').skip(1);
    let end = parts.next()?.parse().ok()?;
    let running = parts.next()?.split_terminator(',').map(str::parse);
    Some((end, running.collect::<Result<_, _>>().ok()?))
}

/// Returns the text of the `pg_snapshot` of a list's first page.
fn snapshot(seen: &SeenChanges) -> String {
    // A cursor from another store may have a zero, which is no transaction.
    let end = seen.top().place().tx.max(1);
    let first = seen.running().first().copied().unwrap_or(end);
    let running: Vec<_> = seen.running().iter().map(u64::to_string).collect();
    format!("{first}:{end}:{}", running.join(","))
}

/// Returns the log of a row, if it is listed.
fn listed<E>(row: &PgRow) -> Result<Option<ListedLog<E>>, sqlx::Error> {
    if !row.try_get::<bool, _>("is_listed")? {
        return Ok(None);
    }
    let log_id = LogId::from(row.try_get::<Uuid, _>("log_id")?);
    let event_id = EventId::from(row.try_get::<Uuid, _>("event_id")?);
    let position = LogPosition::new(log_id, unsigned(row, "event_index")?, event_id);
    Ok(Some(ListedLog::new(position, row.try_get("recorded_at")?)))
}

fn looked(row: &PgRow) -> Result<usize, sqlx::Error> {
    Ok(usize::try_from(unsigned(row, "looked")?).unwrap_or(usize::MAX))
}

fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(row.try_get::<i64, _>(column)?.unsigned_abs())
}

fn epoch(row: &PgRow) -> Result<u32, sqlx::Error> {
    Ok(row.try_get::<i32, _>("epoch")?.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::{read_snapshot, snapshot};
    use crate::cursor::Cursor;
    use crate::stores::list::cursor::SeenChanges;

    #[test]
    fn a_snapshot_is_read_and_written() {
        for (text, running) in [("700:700:", vec![]), ("700:707:700,705", vec![700, 705])] {
            let (end, found) = read_snapshot(text).unwrap();
            assert_eq!(found, running);
            let top = Cursor::from_parts(1, end, 0, None);
            let seen = SeenChanges::new(top, top).with_running(found);
            assert_eq!(snapshot(&seen), text);
        }
        for text in ["", "700", "700:707", "700:707:x"] {
            assert!(read_snapshot(text).is_none(), "{text}");
        }
        let other = SeenChanges::new(Cursor::START, Cursor::START);
        assert_eq!(snapshot(&other), "1:1:");
    }
}
