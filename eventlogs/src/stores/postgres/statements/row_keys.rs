//! The statements on the keys that are remembered for the later events of their logs.

use crate::ids::LogId;
use crate::projection::checkpoint::BUILD;
use crate::projection::table::RowKeyStatements;
use crate::stores::postgres::statements::text::{Statement, in_schema};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use uuid::Uuid;

/// Makes the statements for a schema.
pub(crate) fn for_schema(schema: &str) -> RowKeyStatements {
    let statement = |file| Arc::from(in_schema(file, schema).as_str());
    RowKeyStatements {
        read: statement(include_str!("row_keys_read.sql")),
        write: statement(include_str!("row_keys_write.sql")),
    }
}

/// Reads the keys of some logs.
pub(in crate::stores) fn read<'a>(
    on: &RowKeyStatements,
    name: &'a str,
    logs: &[LogId],
) -> Statement<'a> {
    sqlx::query(AssertSqlSafe(Arc::clone(&on.read)))
        .bind(name) // $1
        .bind(BUILD)
        .bind(uuids(logs.iter()))
}

/// Remembers the keys of some logs.
pub(in crate::stores) fn write<'a>(
    on: &RowKeyStatements,
    name: &'a str,
    keys: Vec<(LogId, String)>,
) -> Statement<'a> {
    let logs = uuids(keys.iter().map(|(log_id, _)| log_id));
    let keys: Vec<_> = keys.into_iter().map(|(_, keys)| keys).collect();
    sqlx::query(AssertSqlSafe(Arc::clone(&on.write)))
        .bind(name) // $1
        .bind(BUILD)
        .bind(logs)
        .bind(keys)
}

fn uuids<'a>(logs: impl Iterator<Item = &'a LogId>) -> Vec<Uuid> {
    logs.map(|log_id| *log_id.as_uuid()).collect()
}
