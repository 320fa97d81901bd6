//! The statements of a store, for the schema that it uses.
//!
//! Each statement is a file in `statements`. The comment at the start of the file describes what the statement does, its
//! parameters, its columns and the reasons for its form. `{schema}` stands for the name of the schema; once that is filled in,
//! a file can be tried in psql.

mod appends;
pub(super) mod checkpoints;
pub(super) mod feed;
pub(super) mod listing;
pub(super) mod migration;
pub(super) mod parked;
pub(super) mod questions;
pub(super) mod reads;
pub(crate) mod row_keys;
pub(super) mod rows;
#[cfg(test)]
mod tests;
pub(super) mod text;

use crate::ids::LogId;
use crate::projection::table::RowKeyStatements;
use crate::stores::encoding::write::EncodedWrite;
use crate::stores::error::open::OpenError;
use crate::stores::postgres::values::{Group, previous, scope_uuid};
use checkpoints::CheckpointStatements;
use feed::FeedStatements;
use listing::{ChangesBefore, ListBounds};
use parked::ParkedStatements;
use questions::PageBounds;
use reads::ReadStatements;
use sqlx::SqlStr;
use std::time::Duration;
use text::{Statement, check_schema_name, in_schema};
use uuid::Uuid;

/// The statements of one schema.
pub(super) struct Statements {
    append_one: SqlStr,
    append_next: SqlStr,
    append_singles: SqlStr,
    append_keyed_singles: SqlStr,
    append_groups: SqlStr,
    append_whole: SqlStr,
    append_across: SqlStr,
    append_in: SqlStr,
    refusals: SqlStr,
    refusals_in: SqlStr,
    stored_writes: SqlStr,
    log_type: SqlStr,
    ends: SqlStr,
    find_key: SqlStr,
    prune: SqlStr,
    page: SqlStr,
    large_events: SqlStr,
    list_by_id: SqlStr,
    list_by_change: SqlStr,
    is_at_home: SqlStr,
    /// The statements that read logs for folds.
    pub(super) reads: ReadStatements,
    /// The statements of checkpoints.
    pub(super) checkpoints: CheckpointStatements,
    /// The statements of parked logs.
    pub(super) parked: ParkedStatements,
    /// The statements on remembered keys.
    pub(super) row_keys: RowKeyStatements,
    /// The statements of the feed.
    pub(super) feed: FeedStatements,
}

/// Returns `true` if a group has more than one log. That need not be the doing of one of its writes: the write that has joined the
/// others may be settled, and not be sent again with them.
fn has_several_logs(group: &Group<'_, '_>) -> bool {
    let first = group.first().map(|write| write.first.log_id);
    let mut writes = group.iter();
    writes.any(|write| write.log_count() > 1 || Some(write.first.log_id) != first)
}

impl Statements {
    /// Makes the statements of a schema, whose name must be a plain identifier, and none of the server's own.
    pub(super) fn for_schema(schema: &str) -> Result<Self, OpenError> {
        check_schema_name(schema)?;
        let statement = |file| in_schema(file, schema);
        Ok(Self {
            append_one: statement(appends::APPEND_ONE),
            append_next: statement(appends::APPEND_NEXT),
            append_singles: statement(appends::APPEND_SINGLES),
            append_keyed_singles: statement(appends::APPEND_KEYED_SINGLES),
            append_groups: statement(appends::APPEND_GROUPS),
            append_whole: statement(appends::APPEND_WHOLE),
            append_across: statement(appends::APPEND_ACROSS),
            append_in: statement(appends::APPEND_IN),
            refusals: statement(questions::REFUSALS),
            refusals_in: statement(questions::REFUSALS_IN),
            stored_writes: statement(questions::STORED_WRITES),
            log_type: statement(questions::LOG_TYPE),
            ends: statement(questions::ENDS),
            find_key: statement(questions::FIND_KEY),
            prune: statement(questions::PRUNE),
            page: statement(questions::PAGE),
            large_events: statement(questions::LARGE_EVENTS),
            list_by_id: statement(listing::LIST_BY_ID),
            list_by_change: statement(listing::LIST_BY_CHANGE),
            is_at_home: statement(questions::IS_AT_HOME),
            reads: ReadStatements::for_schema(schema),
            checkpoints: CheckpointStatements::for_schema(schema),
            parked: ParkedStatements::for_schema(schema),
            row_keys: row_keys::for_schema(schema),
            feed: FeedStatements::for_schema(schema),
        })
    }

    /// Returns the insert of a batch.
    pub(super) fn append<'a>(&self, groups: &[Group<'a, '_>]) -> Statement<'a> {
        let writes = || groups.iter().copied().flatten();
        if groups.iter().any(has_several_logs) {
            return match groups {
                [group] if group.iter().all(|write| write.requirements.is_empty()) => {
                    appends::append_whole(&self.append_whole, group)
                }
                _ => appends::append_across(&self.append_across, groups),
            };
        }
        let is_single =
            |group: &Group<'_, '_>| matches!(group, [write] if write.event_count() == 1);
        if !groups.iter().all(is_single) {
            return appends::append_groups(&self.append_groups, groups);
        }
        let has_key = |write: &&EncodedWrite| write.context.key.is_some();
        if writes().all(has_key) {
            return appends::append_keyed_singles(&self.append_keyed_singles, groups);
        }
        if writes().any(has_key) {
            return appends::append_groups(&self.append_groups, groups);
        }
        match groups {
            [[write]] if previous(&write.first).is_some() => {
                appends::append_next(&self.append_next, write)
            }
            [[write]] => appends::append_one(&self.append_one, write),
            _ => appends::append_singles(&self.append_singles, groups),
        }
    }

    /// Returns the insert of one write in a transaction of the caller.
    pub(super) fn append_in<'a>(&self, write: &'a EncodedWrite) -> Statement<'a> {
        appends::append_groups(&self.append_in, &[&[write]])
    }

    /// Asks why writes were not stored: one row for each of their logs.
    pub(super) fn refusals<'a>(&self, writes: &[&'a EncodedWrite]) -> Statement<'a> {
        questions::refusals(&self.refusals, writes)
    }

    /// Asks why a write was not stored in a transaction of the caller.
    pub(super) fn refusals_in<'a>(&self, write: &'a EncodedWrite) -> Statement<'a> {
        questions::refusals(&self.refusals_in, &[write])
    }

    /// Asks which of these writes, each with a number, are stored with all their events.
    pub(super) fn stored_writes(&self, writes: &[(i64, &EncodedWrite)]) -> Statement<'static> {
        questions::stored_writes(&self.stored_writes, writes)
    }

    /// Reads the name of a log's kind.
    pub(super) fn log_type(&self, log_id: LogId) -> Statement<'static> {
        questions::log_type(&self.log_type, log_id)
    }

    /// Reads the ends of logs.
    pub(super) fn ends(&self, log_ids: &[LogId]) -> Statement<'static> {
        questions::ends(&self.ends, log_ids)
    }

    /// Finds the write of a key.
    pub(super) fn find_key<'a>(&self, scope: Option<LogId>, key: &'a str) -> Statement<'a> {
        questions::find_key(&self.find_key, scope_uuid(scope), key)
    }

    /// Forgets the keys of some writes.
    pub(super) fn prune(&self, older_than: Duration, limit: i64) -> Statement<'static> {
        questions::prune(&self.prune, older_than, limit)
    }

    /// Reads a page of a log.
    pub(super) fn page(&self, bounds: PageBounds) -> Statement<'static> {
        questions::page(&self.page, bounds)
    }

    /// Reads the contents that a page has left out, from the first index to the last one.
    pub(super) fn large_events(&self, page: PageBounds, range: (i64, i64)) -> Statement<'static> {
        questions::large_events(&self.large_events, page, range)
    }

    /// Lists logs in the order of their ids, from an id on.
    pub(super) fn list_by_id(&self, first: Uuid, bounds: ListBounds) -> Statement<'static> {
        listing::list_by_id(&self.list_by_id, first, bounds)
    }

    /// Lists logs in the order of their newest changes.
    pub(super) fn list_by_change(
        &self,
        before: ChangesBefore,
        bounds: ListBounds,
    ) -> Statement<'static> {
        listing::list_by_change(&self.list_by_change, before, bounds)
    }

    /// Asks whether the tables belong to this server. It has no parameters, so that it can be sent in one message.
    pub(super) fn is_at_home(&self) -> SqlStr {
        self.is_at_home.clone()
    }
}
