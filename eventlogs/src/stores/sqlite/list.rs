//! Lists of logs.

use crate::cursor::Cursor;
use crate::event::LogType;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::database::list::first_id;
use crate::stores::encoding::decoded::signed;
use crate::stores::error::store::StoreError;
use crate::stores::list::cursor::{ListCursor, ListStart, SeenChanges};
use crate::stores::list::{ListRequest, ListedLog, LogList};
use crate::stores::sqlite::error;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::read::{event_id, time, uuid};
use crate::stores::sqlite::statements::listing;
use futures_util::TryStreamExt;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{Decode, Row, Type};

/// Lists the logs of one kind from the file that is at the path.
pub(super) async fn page<E>(
    pool: &ConnectionPool,
    request: &ListRequest,
    log_type: LogType,
) -> Result<LogList<E>, StoreError> {
    let mut attempts = 0;
    loop {
        let mut reader = pool.reader().await?;
        let connection = &mut reader.connection;
        let page = match &request.start {
            ListStart::Id(after) => by_id(connection, *after, request.limit, log_type).await,
            ListStart::NewestChange(seen) => {
                by_change(connection, seen.as_ref(), request.limit, log_type).await
            }
        };
        if reader.still_holds(&mut attempts).await? {
            return page;
        }
    }
}

async fn by_id<E>(
    connection: &mut SqliteConnection,
    after: Option<LogId>,
    limit: usize,
    log_type: LogType,
) -> Result<LogList<E>, StoreError> {
    let mut page = LogList::default();
    let Some(first) = first_id(after) else {
        return Ok(page);
    };
    let statement = listing::list_by_id(&first, signed(ListRequest::MOST_LOGS as u64));
    let mut rows = statement.fetch(connection);
    while page.logs.len() < limit
        && let Some(row) = rows.try_next().await.map_err(error::into_store_error)?
    {
        if get::<Option<&[u8]>>(&row, "log_id")?.is_none() {
            page.next = None;
            break;
        }
        page.looked_at += 1;
        let log_id = LogId::from_uuid(uuid(&row, "log_id")?);
        page.next = Some(ListCursor::from(log_id));
        if log_type.accepts(get(&row, "kind")?) {
            page.logs.push(listed(&row)?);
        }
    }
    Ok(page)
}

async fn by_change<E>(
    connection: &mut SqliteConnection,
    seen: Option<&SeenChanges>,
    limit: usize,
    log_type: LogType,
) -> Result<LogList<E>, StoreError> {
    let mut page = LogList::default();
    let position = |cursor: Cursor| signed(cursor.place().position);
    let before = seen.map_or(i64::MAX, |seen| position(seen.last()));
    let top = seen.map_or(i64::MAX, |seen| position(seen.top()));
    let most = signed(ListRequest::MOST_CHANGES as u64);
    let mut seen = seen.cloned();
    let mut rows = listing::list_by_change(before, top, most).fetch(connection);
    let mut has_ended = false;
    while page.logs.len() < limit {
        let Some(row) = rows.try_next().await.map_err(error::into_store_error)? else {
            has_ended = true;
            break;
        };
        page.looked_at += 1;
        let found = get::<i64>(&row, "position")?.unsigned_abs();
        seen = Some(match seen {
            Some(seen) => seen.down_to(place(found)),
            // The list begins with the newest event of all.
            None => SeenChanges::new(place(found.saturating_add(1)), place(found)),
        });
        let kind: Option<i32> = get(&row, "kind")?;
        if kind.is_some_and(|kind| log_type.accepts(kind)) {
            page.logs.push(listed(&row)?);
        }
    }
    let was_all = has_ended && page.looked_at < ListRequest::MOST_CHANGES;
    page.next = seen.filter(|_| !was_all).map(ListCursor::from);
    Ok(page)
}

/// The place with a position: positions rise over all epochs, so they suffice.
const fn place(position: u64) -> Cursor {
    Cursor::from_parts(0, 0, position, None)
}

fn listed<E>(row: &SqliteRow) -> Result<ListedLog<E>, StoreError> {
    let log_id = LogId::from_uuid(uuid(row, "log_id")?);
    let index = get::<i64>(row, "event_index")?.unsigned_abs();
    let position = LogPosition::new(log_id, index, event_id(row, "event_id")?);
    Ok(ListedLog::new(position, time(get(row, "recorded_at")?)))
}

fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(column).map_err(error::into_store_error)
}
