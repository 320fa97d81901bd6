//! The statements that read logs for folds: each file, and the function that binds its parameters in the order of their numbers.

use crate::ids::LogId;
use crate::stores::postgres::statements::text::{Statement, in_schema};
use sqlx::SqlStr;
use uuid::Uuid;

/// More rows than a log has.
const ALL: i64 = i64::MAX;

/// The statements that read logs for folds, for one schema.
pub(in crate::stores) struct ReadStatements {
    contents: SqlStr,
    wanted_contents: SqlStr,
    records: SqlStr,
    tail: SqlStr,
    tails: SqlStr,
    newest: SqlStr,
}

/// A short range of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::stores) struct TailBounds {
    /// The log.
    pub(in crate::stores) log_id: LogId,
    /// The index of the first row.
    pub(in crate::stores) first: i64,
    /// The index of the last row.
    pub(in crate::stores) last: i64,
    /// The index of the anchor: the event after which the range starts, if it starts after one.
    pub(in crate::stores) anchor: Option<i64>,
}

/// Events whose payloads are not fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::stores) struct Unwanted {
    /// Stored names that are not wanted in any version.
    names: [Option<&'static str>; 4],
    /// Further names, with the versions that are not wanted, in the form `name/version`.
    further: Vec<String>,
}

impl Unwanted {
    /// Adds a stored name and the version that is not wanted. `reads_others`: other versions can be read, and may be wanted.
    pub(in crate::stores) fn add(&mut self, name: &'static str, version: i32, reads_others: bool) {
        let mut free = self.names.iter_mut().filter(|name| name.is_none());
        match free.next() {
            Some(free) if !reads_others => *free = Some(name),
            _ => self.further.push(format!("{name}/{version}")),
        }
    }

    /// Returns `true` if all events are wanted.
    pub(in crate::stores) fn is_empty(&self) -> bool {
        self.names[0].is_none() && self.further.is_empty()
    }

    /// Binds the five parameters.
    fn bind(&self, statement: Statement<'static>) -> Statement<'static> {
        let named = self.names.into_iter();
        let statement = named.fold(statement, Statement::bind);
        let further = (!self.further.is_empty()).then(|| self.further.clone());
        statement.bind(further)
    }
}

impl ReadStatements {
    /// Makes the statements of a schema.
    pub(super) fn for_schema(schema: &str) -> Self {
        let statement = |file| in_schema(file, schema);
        Self {
            contents: statement(include_str!("contents.sql")),
            wanted_contents: statement(include_str!("wanted_contents.sql")),
            records: statement(include_str!("records.sql")),
            tail: statement(include_str!("tail.sql")),
            tails: statement(include_str!("tails.sql")),
            newest: statement(include_str!("newest.sql")),
        }
    }

    /// Reads a log from an index on, with what most aggregates look at. So many of the first events have their positions.
    pub(in crate::stores) fn contents(
        &self,
        log_id: LogId,
        first: i64,
        with_positions: i64,
    ) -> Statement<'static> {
        sqlx::query(self.contents.clone())
            .bind(Uuid::from(log_id)) // $1
            .bind(first)
            .bind(first.saturating_add(with_positions))
            .bind(ALL)
    }

    /// Reads a log from an index on, without the payloads of unwanted events.
    pub(in crate::stores) fn wanted_contents(
        &self,
        log_id: LogId,
        first: i64,
        with_positions: i64,
        unwanted: &Unwanted,
    ) -> Statement<'static> {
        let statement = sqlx::query(self.wanted_contents.clone())
            .bind(Uuid::from(log_id)) // $1
            .bind(first)
            .bind(first.saturating_add(with_positions));
        unwanted.bind(statement).bind(ALL)
    }

    /// Reads a log from an index on, with all that is stored with its events.
    pub(in crate::stores) fn records(
        &self,
        log_id: LogId,
        first: i64,
        unwanted: &Unwanted,
    ) -> Statement<'static> {
        let statement = sqlx::query(self.records.clone())
            .bind(Uuid::from(log_id)) // $1
            .bind(first);
        unwanted.bind(statement).bind(ALL)
    }

    /// Reads a short range of a log.
    pub(in crate::stores) fn tail(
        &self,
        bounds: TailBounds,
        whole_bytes: i32,
    ) -> Statement<'static> {
        sqlx::query(self.tail.clone())
            .bind(Uuid::from(bounds.log_id)) // $1
            .bind(bounds.first)
            .bind(bounds.last)
            .bind(bounds.anchor)
            .bind(whole_bytes)
            .bind(bounds.last.saturating_sub(bounds.first).saturating_add(1))
    }

    /// Reads a short range of each of several logs.
    pub(in crate::stores) fn tails(
        &self,
        all: &[TailBounds],
        whole_bytes: i32,
    ) -> Statement<'static> {
        let log_ids = all.iter().map(|bounds| Uuid::from(bounds.log_id));
        let firsts = all.iter().map(|bounds| bounds.first);
        let lasts = all.iter().map(|bounds| bounds.last);
        let anchors = all.iter().map(|bounds| bounds.anchor);
        sqlx::query(self.tails.clone())
            .bind(log_ids.collect::<Vec<_>>()) // $1
            .bind(firsts.collect::<Vec<_>>())
            .bind(lasts.collect::<Vec<_>>())
            .bind(anchors.collect::<Vec<_>>())
            .bind(whole_bytes)
    }

    /// Reads the newest events of each of several logs.
    pub(in crate::stores) fn newest(
        &self,
        log_ids: &[LogId],
        rows: i64,
        whole_bytes: i32,
    ) -> Statement<'static> {
        let log_ids = log_ids.iter().copied().map(Uuid::from);
        sqlx::query(self.newest.clone())
            .bind(log_ids.collect::<Vec<_>>()) // $1
            .bind(rows)
            .bind(whole_bytes)
    }
}
