//! The fence of the feed: the number of the first transaction that may not have ended.
//!
//! Every transaction with a number holds the fence while it runs, also a prepared one and one of another database. Those of
//! other databases cannot store events. If the fence stands still and events wait behind it, they are told apart.

use crate::cursor::{Cursor, Place};
use crate::feed::contract::{FeedHead, FeedHold, History};
use crate::ids::EventId;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::following::{place, rows, unreadable};
use crate::sync::lock;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// After this time, transactions of other databases are told apart.
const TELL_APART: Duration = Duration::from_secs(1);
/// How often they are told apart while the fence is held. They have been told apart already if the fence is a proven number.
const TELL_APART_AGAIN: Duration = Duration::from_millis(100);
/// After this time, what holds the fence is reported.
const REPORT: Duration = Duration::from_secs(5);
/// How often it is reported again.
const REPORT_AGAIN: Duration = Duration::from_mins(1);

/// What a store knows about its fence.
#[derive(Default)]
pub(super) struct Fence(Mutex<Known>);

/// What is known.
#[derive(Default)]
struct Known {
    /// A transaction number below which all transactions of this database have ended.
    proven: i64,
    /// The fence at which events wait, and since when.
    held: Option<(u64, Instant)>,
    /// When transactions were told apart last.
    told_apart: Option<Instant>,
    /// When the holder was reported last.
    reported: Option<Instant>,
    /// The history of the server that all this is known of.
    history: Option<History>,
}

/// What to do about a fence that is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    TellApart,
}

impl Fence {
    /// Returns the proven number, and the server of which it is known.
    fn proven(&self) -> (i64, Option<History>) {
        let known = lock(&self.0);
        (known.proven, known.history)
    }

    /// Takes a head that was looked up.
    fn seen(&self, head: &FeedHead) -> Step {
        let mut known = lock(&self.0);
        let now = Instant::now();
        if !head.is_held() {
            known.held = None;
            return Step::Nothing;
        }
        let fence = head.fence.place().tx;
        let since = match known.held {
            Some((place, since)) if place == fence => since,
            _ => {
                known.held = Some((fence, now));
                now
            }
        };
        let is_due = known
            .told_apart
            .is_none_or(|last| now.duration_since(last) >= TELL_APART_AGAIN);
        let patience = if known.proven.cast_unsigned() == fence {
            TELL_APART_AGAIN
        } else {
            TELL_APART
        };
        if now.duration_since(since) >= patience && is_due && !head.is_standby {
            known.told_apart = Some(now);
            return Step::TellApart;
        }
        Step::Nothing
    }

    /// Takes a number that a server has proven. Returns `true` if it is greater than the one before. That of another server is
    /// of no use.
    fn prove(&self, fence: i64, history: History) -> bool {
        let mut known = lock(&self.0);
        let rises = fence > known.proven && known.history == Some(history);
        if rises {
            known.proven = fence;
        }
        rises
    }

    /// Returns how long the fence has been held, if that must be reported now.
    fn report(&self) -> Option<Duration> {
        let mut known = lock(&self.0);
        let now = Instant::now();
        let held = now.duration_since(known.held?.1);
        let is_due = known
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_AGAIN);
        if held < REPORT || !is_due {
            return None;
        }
        known.reported = Some(now);
        Some(held)
    }

    /// Returns how long the fence has been held.
    fn held_for(&self) -> Option<Duration> {
        let known = lock(&self.0);
        known.held.map(|(_, since)| since.elapsed())
    }

    /// Takes the server that a head was looked up on. Another one has other transactions, so nothing that was known holds there.
    fn enter(&self, history: History) {
        let mut known = lock(&self.0);
        if known.history != Some(history) {
            *known = Known {
                history: Some(history),
                ..Known::default()
            };
        }
    }
}

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
    metrics::gauge!("eventlogs_feed_held_seconds")
        .set(core.fence.held_for().unwrap_or_default().as_secs_f64());
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
    match hold(core).await? {
        Some(hold) => tracing::warn!(
            seconds = held.as_secs(),
            pid = hold.pid,
            gid = hold.gid,
            database = hold.database,
            user = hold.user,
            application = hold.application,
            state = hold.state,
            query = hold.query,
            age_seconds = hold.age.map(|age| age.as_secs()),
            "a transaction holds the end of the feed back: events that were committed after it began wait for its end"
        ),
        None => tracing::warn!(
            seconds = held.as_secs(),
            "a transaction that this role cannot see holds the end of the feed back"
        ),
    }
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

#[cfg(test)]
mod tests {
    use super::{Fence, Step};
    use crate::cursor::Cursor;
    use crate::feed::contract::{FeedHead, History};

    const HERE: History = History::new(1, 1, 1);
    const THERE: History = History::new(1, 1, 2);

    #[test]
    fn what_one_server_has_proven_is_forgotten_on_another() {
        let fence = Fence::default();
        assert!(!fence.prove(5, HERE), "no head was looked up there");
        fence.enter(HERE);
        assert!(fence.prove(5, HERE) && !fence.prove(4, HERE) && !fence.prove(5, HERE));
        assert_eq!(fence.proven(), (5, Some(HERE)));
        assert!(!fence.prove(9, THERE));
        fence.enter(HERE);
        assert_eq!(fence.proven(), (5, Some(HERE)));
        fence.enter(THERE);
        assert_eq!(fence.proven(), (0, Some(THERE)));
        assert!(!fence.prove(9, HERE));
    }

    #[test]
    fn transactions_are_not_told_apart_at_once() {
        let fence = Fence::default();
        let place = |tx| Cursor::from_parts(1, tx, 0, None);
        fence.enter(HERE);
        let held = FeedHead::new(place(5), Some(place(6)), None);
        assert!(fence.seen(&held) == Step::Nothing && fence.held_for().is_some());
        assert_eq!(fence.report(), None);
        let free = FeedHead::new(place(7), Some(place(6)), None);
        assert!(fence.seen(&free) == Step::Nothing && fence.held_for().is_none());
    }
}
