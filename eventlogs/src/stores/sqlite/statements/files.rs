//! The statements about a file as a whole: its tables, its log, its copies.

use crate::stores::sqlite::statements::text::{Statement, statement};

/// Checks whether the file has tables of this store.
pub(in crate::stores) const LOOK_FOR_META: &str = statement(include_str!("look_for_meta.sql"));
/// Reads the version of the tables.
pub(in crate::stores) const LOOK_AT_META: &str = statement(include_str!("look_at_meta.sql"));
/// Checks whether the file is empty.
pub(in crate::stores) const IS_EMPTY: &str = statement(include_str!("is_empty.sql"));
/// Checks whether there is a table of a given name.
pub(super) const HAS_TABLE: &str = statement(include_str!("has_table.sql"));
/// Notes the version of the tables.
pub(super) const FINISH_MIGRATION: &str = statement(include_str!("finish_migration.sql"));
/// Reads something, so that SQLite opens the log.
pub(in crate::stores) const FIRST_READ: &str = statement(include_str!("first_read.sql"));
/// Moves the content of the log into the database.
pub(in crate::stores) const CHECKPOINT: &str = statement(include_str!("checkpoint.sql"));
/// Reads the size of the database.
pub(in crate::stores) const DATABASE_SIZE: &str = statement(include_str!("database_size.sql"));
/// Copies the database.
pub(super) const COPY: &str = statement(include_str!("copy.sql"));
/// Begins a new epoch.
pub(in crate::stores) const BEGIN_EPOCH: &str = statement(include_str!("begin_epoch.sql"));

/// Binds the parameter of [`HAS_TABLE`].
pub(in crate::stores) fn has_table(name: &str) -> Statement<'_> {
    sqlx::query(HAS_TABLE).bind(name) // ?1
}

/// Binds the parameter of [`FINISH_MIGRATION`].
pub(in crate::stores) fn finish_migration<'a>(version: i64) -> Statement<'a> {
    sqlx::query(FINISH_MIGRATION).bind(version) // ?1
}

/// Binds the parameter of [`COPY`].
pub(in crate::stores) fn copy<'a>(path: String) -> Statement<'a> {
    sqlx::query(COPY).bind(path) // ?1
}
