//! The statements of parked logs: each file, and the function that binds its parameters in the order of their numbers.

use crate::ids::LogId;
use crate::projection::checkpoint::BUILD;
use crate::projection::parked::{ParkedChange, ParkedEvent, ParkedWish};
use crate::stores::encoding::decoded::signed;
use crate::stores::postgres::statements::text::{Statement, in_schema};
use sqlx::SqlStr;
use uuid::Uuid;

/// The statements of parked logs for one schema.
pub(in crate::stores) struct ParkedStatements {
    park: SqlStr,
    advance: SqlStr,
    fail: SqlStr,
    skip: SqlStr,
    free: SqlStr,
    wish: SqlStr,
    list: SqlStr,
}

impl ParkedStatements {
    pub(super) fn for_schema(schema: &str) -> Self {
        let statement = |file| in_schema(file, schema);
        Self {
            park: statement(include_str!("parked_park.sql")),
            advance: statement(include_str!("parked_advance.sql")),
            fail: statement(include_str!("parked_fail.sql")),
            skip: statement(include_str!("parked_skip.sql")),
            free: statement(include_str!("parked_free.sql")),
            wish: statement(include_str!("parked_wish.sql")),
            list: statement(include_str!("parked_list.sql")),
        }
    }

    /// Returns the statements of a change. Each must change one row.
    pub(in crate::stores) fn change<'a>(
        &self,
        name: &'a str,
        change: &ParkedChange<'a>,
    ) -> Vec<Statement<'a>> {
        let (log_id, at) = change.place();
        let of = |text: &SqlStr| {
            sqlx::query(text.clone())
                .bind(name) // $1
                .bind(BUILD)
                .bind(Uuid::from(log_id))
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
                let park = of(&self.park).bind(event_type).bind(error);
                vec![park.bind(attempts.cast_signed())]
            }
            ParkedChange::Advance { to, .. } => vec![of(&self.advance).bind(signed(to))],
            ParkedChange::Fail { event, .. } => {
                let fail = of(&self.fail).bind(signed(event.index));
                vec![fail.bind(event.event_type).bind(event.error)]
            }
            ParkedChange::Skip { by, .. } => vec![
                of(&self.skip).bind(by),
                of(&self.advance).bind(signed(at.saturating_add(1))),
            ],
            ParkedChange::Free { .. } => vec![of(&self.free)],
        }
    }

    /// Notes what is to be done with a parked log.
    pub(in crate::stores) fn wish<'a>(
        &self,
        name: &'a str,
        log_id: LogId,
        wish: &'a ParkedWish,
    ) -> Statement<'a> {
        let (wish, by) = wish.stored();
        sqlx::query(self.wish.clone())
            .bind(name) // $1
            .bind(BUILD)
            .bind(Uuid::from(log_id))
            .bind(wish)
            .bind(by)
    }

    /// Reads the parked logs of a subscription.
    pub(in crate::stores) fn list<'a>(&self, name: &'a str) -> Statement<'a> {
        sqlx::query(self.list.clone()).bind(name).bind(BUILD) // $1, $2
    }
}
