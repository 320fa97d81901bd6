//! The statements of a migration besides its steps. They are rarely sent, so their text is made each time.

use crate::stores::postgres::statements::text::{Statement, in_schema};

/// Asks whether the schema has tables of this store.
pub(in crate::stores) const LOOK_FOR_META: &str = include_str!("look_for_meta.sql");
/// Reads which version the tables have.
pub(in crate::stores) const LOOK_AT_META: &str = include_str!("look_at_meta.sql");
/// Waits for other processes that migrate.
pub(in crate::stores) const LOCK_MIGRATION: &str = include_str!("lock_migration.sql");
/// Asks which tables a schema without tables of this store has.
pub(in crate::stores) const LOOK_FOR_SCHEMA: &str = include_str!("look_for_schema.sql");
/// Makes appends use the current epoch of the tables.
pub(in crate::stores) const SET_DEFAULT_EPOCH: &str = include_str!("set_default_epoch.sql");

/// Notes the version and the server of the tables.
pub(super) const FINISH_MIGRATION: &str = include_str!("finish_migration.sql");

/// Binds the parameters of [`FINISH_MIGRATION`].
pub(in crate::stores) fn finish_migration<'a>(
    schema: &str,
    version: i64,
    system_identifier: i64,
) -> Statement<'a> {
    sqlx::query(in_schema(FINISH_MIGRATION, schema))
        .bind(version) // $1
        .bind(system_identifier)
}
