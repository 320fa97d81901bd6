//! The statements of parked logs: each file, and the function that binds its parameters in the order of their numbers.

use crate::ids::LogId;
use crate::projection::checkpoint::BUILD;
use crate::projection::parked::{ParkedChange, ParkedEvent, ParkedWish};
use crate::stores::encoding::decoded::signed;
use crate::stores::sqlite::statements::checkpoints::now;
use crate::stores::sqlite::statements::text::{Statement, statement};
use crate::stores::sqlite::values::blob;

/// Parks a log.
pub(super) const PARK: &str = statement(include_str!("parked_park.sql"));
/// Notes that events were applied.
pub(super) const ADVANCE: &str = statement(include_str!("parked_advance.sql"));
/// Notes that another attempt has failed.
pub(super) const FAIL: &str = statement(include_str!("parked_fail.sql"));
/// Notes that an event is never applied.
pub(super) const SKIP: &str = statement(include_str!("parked_skip.sql"));
/// Lets a log go on.
pub(super) const FREE: &str = statement(include_str!("parked_free.sql"));
/// Notes what is to be done.
pub(super) const WISH: &str = statement(include_str!("parked_wish.sql"));
/// Reads the parked logs of a subscription.
pub(super) const LIST: &str = statement(include_str!("parked_list.sql"));

/// Binds the parameters of the statements of a change. Each must change one row.
pub(in crate::stores) fn change<'a>(
    name: &'a str,
    change: &ParkedChange<'a>,
) -> Vec<Statement<'a>> {
    let (log_id, at) = change.place();
    let of = |text: &'static str| {
        sqlx::query(text)
            .bind(name) // ?1
            .bind(BUILD)
            .bind(log_id.as_bytes().to_vec())
            .bind(signed(at))
    };
    match *change {
        ParkedChange::Park {
            event: ParkedEvent {
                event_type, error, ..
            },
            attempts,
            ..
        } => {
            let park = of(PARK).bind(event_type).bind(error).bind(attempts);
            vec![park.bind(now())]
        }
        ParkedChange::Advance { to, .. } => vec![of(ADVANCE).bind(signed(to))],
        ParkedChange::Fail { event, .. } => {
            let fail = of(FAIL).bind(signed(event.index));
            vec![fail.bind(event.event_type).bind(event.error)]
        }
        ParkedChange::Skip { by, .. } => vec![
            of(SKIP).bind(by).bind(now()),
            of(ADVANCE).bind(signed(at.saturating_add(1))),
        ],
        ParkedChange::Free { .. } => vec![of(FREE)],
    }
}

/// Binds the parameters of [`WISH`].
pub(in crate::stores) fn wish<'a>(
    name: &'a str,
    log_id: &'a LogId,
    wish: &'a ParkedWish,
) -> Statement<'a> {
    let (wish, by) = wish.stored();
    sqlx::query(WISH)
        .bind(name) // ?1
        .bind(BUILD)
        .bind(blob(log_id.as_bytes()))
        .bind(wish)
        .bind(by)
}

/// Binds the parameters of [`LIST`].
pub(in crate::stores) fn list(name: &str) -> Statement<'_> {
    sqlx::query(LIST).bind(name).bind(BUILD) // ?1, ?2
}
