//! The statements on the keys that are remembered for the later events of their logs.

use crate::ids::LogId;
use crate::projection::checkpoint::BUILD;
use crate::projection::table::RowKeyStatements;
use crate::stores::sqlite::statements::text::{Statement, statement};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use std::sync::{Arc, LazyLock};

/// The statements of every file.
pub(crate) static ROW_KEYS: LazyLock<RowKeyStatements> = LazyLock::new(|| RowKeyStatements {
    read: statement(include_str!("row_keys_read.sql")).into(),
    write: statement(include_str!("row_keys_write.sql")).into(),
});

/// Reads the keys of some logs.
pub(in crate::stores) fn read<'a>(
    on: &RowKeyStatements,
    name: &'a str,
    logs: &[LogId],
) -> Statement<'a> {
    let logs: Vec<Value> = logs.iter().map(hexadecimal).collect();
    sqlx::query(AssertSqlSafe(Arc::clone(&on.read)))
        .bind(name) // ?1
        .bind(BUILD)
        .bind(Value::Array(logs).to_string())
}

/// Remembers the keys of some logs.
pub(in crate::stores) fn write<'a>(
    on: &RowKeyStatements,
    name: &'a str,
    keys: Vec<(LogId, String)>,
) -> Statement<'a> {
    let pair = |(log_id, keys): (LogId, String)| {
        Value::Array(vec![hexadecimal(&log_id), Value::String(keys)])
    };
    let pairs = keys.into_iter().map(pair).collect();
    sqlx::query(AssertSqlSafe(Arc::clone(&on.write)))
        .bind(name) // ?1
        .bind(BUILD)
        .bind(Value::Array(pairs).to_string())
}

fn hexadecimal(log_id: &LogId) -> Value {
    Value::String(log_id.as_uuid().simple().to_string())
}
