//! Looks where the feed ends, and what holds its end back.

use crate::cursor::{Cursor, Place};
use crate::feed::head::{FeedHead, FeedHold, History};
use crate::ids::EventId;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::fence::Step;
use crate::stores::postgres::following::{place, rows, unreadable};
#[cfg(feature = "metrics")]
use crate::stores::postgres::telemetry;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::time::Duration;
use uuid::Uuid;

/// Looks where the feed ends.
pub(super) async fn head(core: &Core) -> Result<FeedHead, StoreError> {
    let mut head = look(core).await?;
    if core.fence.seen(&head) == Step::TellApart {
        let found = rows(core, || core.statements.feed.fence()).await?;
        let proven = found.first().map(|row| {
            let fence = row.try_get("fence")?;
            Ok((fence, read_history(row)?))
        });
        let proven = proven.transpose().map_err(unreadable)?;
        if proven.is_some_and(|(fence, history)| core.fence.prove(fence, history)) {
            head = look(core).await?;
            core.fence.seen(&head);
        }
    }
    if let Some(held) = core.fence.report() {
        report(core, held).await?;
    }
    #[cfg(feature = "metrics")]
    telemetry::held(core.fence.held_for());
    Ok(head)
}

async fn look(core: &Core) -> Result<FeedHead, StoreError> {
    let (proven, server) = core.fence.proven();
    let mut head = look_with(core, proven).await?;
    if proven > 0 && server != Some(head.history) {
        // What is proven of one server says nothing about another one.
        head = look_with(core, 0).await?;
    }
    core.fence.enter(head.history);
    Ok(head)
}

async fn look_with(core: &Core, proven: i64) -> Result<FeedHead, StoreError> {
    let found = rows(core, || core.statements.feed.head(proven)).await?;
    let row = found
        .first()
        .ok_or_else(|| unreadable(sqlx::Error::RowNotFound))?;
    read_head(row).map_err(unreadable)
}

async fn report(core: &Core, held: Duration) -> Result<(), StoreError> {
    // A role without privileges for statistics sees a transaction, but not what it does.
    let holder = hold(core).await?.unwrap_or_default();
    tracing::warn!(
        seconds = held.as_secs(),
        pid = holder.pid,
        gid = holder.gid,
        database = holder.database,
        user = holder.user,
        application = holder.application,
        state = holder.state,
        query = holder.query,
        age_seconds = holder.age.map(|age| age.as_secs()),
        "a transaction holds the end of the feed back: events that were committed after it began wait for its end"
    );
    Ok(())
}

/// Looks which transaction holds the fence. Returns `None` if no event waits for it.
pub(super) async fn hold(core: &Core) -> Result<Option<FeedHold>, StoreError> {
    let head = look(core).await?;
    if !head.is_held() {
        return Ok(None);
    }
    let fence = i64::try_from(head.fence.place().tx).unwrap_or(i64::MAX);
    let found = rows(core, || core.statements.feed.hold(fence)).await?;
    let hold = found.first().map(read_hold).transpose();
    hold.map_err(unreadable)
}

fn read_hold(row: &PgRow) -> Result<FeedHold, sqlx::Error> {
    let age: Option<f64> = row.try_get("age_seconds")?;
    Ok(FeedHold {
        pid: row.try_get("pid")?,
        gid: row.try_get("gid")?,
        database: row.try_get("database")?,
        user: row.try_get("username")?,
        application: row.try_get("application")?,
        state: row.try_get("state")?,
        query: row.try_get("query")?,
        age: age.and_then(|age| Duration::try_from_secs_f64(age).ok()),
    })
}

/// Returns the head from a row of `feed_head.sql`.
fn read_head(row: &PgRow) -> Result<FeedHead, sqlx::Error> {
    let fence = Place {
        epoch: row.try_get::<i32, _>("epoch")?.cast_unsigned(),
        tx: row.try_get::<i64, _>("fence")?.cast_unsigned(),
        position: 0,
    };
    let last = place(row, ["last_epoch", "last_tx", "last_position"])?;
    let readable = place(row, ["readable_epoch", "readable_tx", "readable_position"])?;
    let readable_id: Option<Uuid> = row.try_get("readable_id")?;
    let mut head = FeedHead::new(
        Cursor::new(fence, None),
        last.map(|last| Cursor::new(last, None)),
        readable.map(|place| Cursor::new(place, readable_id.map(EventId::from))),
    );
    head.history = read_history(row)?;
    head.is_standby = row.try_get("is_standby")?;
    Ok(head)
}

/// Returns the server that a row describes.
pub(super) fn read_history(row: &PgRow) -> Result<History, sqlx::Error> {
    Ok(History::new(
        row.try_get("system_identifier")?,
        row.try_get::<i32, _>("timeline")?.cast_unsigned(),
        row.try_get("started")?,
    ))
}
