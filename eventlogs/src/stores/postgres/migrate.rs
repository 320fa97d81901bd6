//! The tables, in numbered steps.

use crate::stores::database::steps::{TABLES, refuse_newer};
use crate::stores::error::store::StoreError;
use crate::stores::postgres::error::into_store_error;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::migrations::{ELSEWHERE, NEEDED, STEPS};
use crate::stores::postgres::pool::Leased;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::statements::migration::{
    LOCK_MIGRATION, LOOK_AT_META, LOOK_FOR_META, LOOK_FOR_SCHEMA, SET_DEFAULT_EPOCH,
    finish_migration,
};
use crate::stores::postgres::statements::text::in_schema;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};

/// What a database has.
pub(super) struct Found {
    /// The version of the tables; 0 where there are none of ours.
    version: i64,
    /// The identifier of the server that the tables were last brought up to date on; 0 where it is not known.
    home: i64,
    /// The identifier of this server; 0 if this role may not ask for it.
    here: i64,
    /// Whether appends take the epoch that the tables are in.
    is_default_epoch: bool,
}

impl Found {
    /// Whether the tables come from another server: their transaction numbers say nothing about those of this one.
    const fn is_from_elsewhere(&self) -> bool {
        self.home != 0 && self.here != 0 && self.home != self.here
    }

    /// The version, for whoever wants to work with the tables.
    pub(super) const fn usable_version(&self) -> i64 {
        if self.is_from_elsewhere() && self.version == NEEDED {
            ELSEWHERE
        } else {
            self.version
        }
    }

    const fn is_up_to_date(&self) -> bool {
        self.version == NEEDED && !self.is_from_elsewhere() && self.is_default_epoch
    }
}

/// Looks at what a database has now.
pub(super) async fn find(operation: &Operation<'_>, schema: &str) -> Result<Found, StoreError> {
    retry::read(operation, || find_once(operation, schema)).await
}

async fn find_once(operation: &Operation<'_>, schema: &str) -> Result<Found, AttemptError> {
    let mut connection = operation.lease().await?;
    let found = look(&mut connection, schema).await?;
    // Other operations do not get a connection that was made without asking where it leads to.
    if !found.is_from_elsewhere() {
        connection.give_back();
    }
    Ok(found)
}

/// Whether there is something to do. What is up to date is not touched, so that a role that works with the tables may ask for
/// their migration.
pub(super) async fn is_due(operation: &Operation<'_>, schema: &str) -> Result<bool, StoreError> {
    let found = find(operation, schema).await?;
    refuse_newer(found.version, NEEDED)?;
    Ok(!found.is_up_to_date())
}

/// Takes the steps that are missing.
pub(super) async fn migrate(operation: &Operation<'_>, schema: &str) -> Result<(), StoreError> {
    let mut connection = retry::read(operation, || lease(operation)).await?;
    let transaction = connection.begin().await;
    let mut transaction = transaction.map_err(into_store_error)?;
    take_missing_steps(&mut transaction, schema).await?;
    transaction.commit().await.map_err(into_store_error)?;
    connection.give_back();
    Ok(())
}

async fn lease<'a>(operation: &Operation<'a>) -> Result<Leased<'a>, AttemptError> {
    Ok(operation.lease().await?)
}

async fn take_missing_steps(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    // Whatever the session's search path is, the steps mean the built-in functions, and no others of the same names.
    execute(connection, "set local search_path = pg_catalog", schema).await?;
    // Of several processes that start at once, one migrates and the others find it done. Held until the commit.
    execute(connection, LOCK_MIGRATION, schema).await?;
    let found = look(connection, schema).await.map_err(into_store_error)?;
    let steps = STEPS.missing_steps(found.version)?;
    if found.version == 0 {
        create_schema(connection, schema).await?;
    }
    for step in steps {
        execute(connection, step.sql, schema).await?;
    }
    // Not kept: behind a pooler the next transaction may be in another session.
    let finish = finish_migration(schema, NEEDED, found.here).persistent(false);
    let finished = finish.execute(&mut *connection).await;
    finished.map_err(into_store_error)?;
    let found = look(connection, schema).await.map_err(into_store_error)?;
    if !found.is_default_epoch {
        execute(connection, SET_DEFAULT_EPOCH, schema).await?;
    }
    Ok(())
}

async fn execute(
    connection: &mut PgConnection,
    file: &str,
    schema: &str,
) -> Result<(), StoreError> {
    let executed = sqlx::raw_sql(in_schema(file, schema));
    let executed = executed.execute(connection).await;
    executed.map_err(into_store_error)?;
    Ok(())
}

async fn create_schema(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    let found = row(connection, LOOK_FOR_SCHEMA, schema).await;
    let found = found.map_err(into_store_error)?;
    for table in TABLES {
        if found.try_get(table).map_err(into_store_error)? {
            return Err(StoreError::UnrelatedTable {
                table,
                advice: "keep the events in another schema, see `PostgresOptions::schema`",
            });
        }
    }
    // `if not exists` wants the right to create schemas even where there is nothing to create.
    if !found
        .try_get::<bool, _>("has_schema")
        .map_err(into_store_error)?
    {
        execute(connection, "create schema {schema}", schema).await?;
    }
    Ok(())
}

/// Looks at the tables. Each question is a message of its own, without values, so that it needs no prepared statement.
async fn look(connection: &mut PgConnection, schema: &str) -> Result<Found, sqlx::Error> {
    const HERE: &str = "select system_identifier from pg_catalog.pg_control_system()";
    let mut found = Found {
        version: 0,
        home: 0,
        here: 0,
        is_default_epoch: false,
    };
    let ours = row(connection, LOOK_FOR_META, schema).await?;
    if ours.try_get("may_ask_for_identifier")? {
        let here = row(connection, HERE, schema).await?;
        found.here = here.try_get("system_identifier")?;
    }
    if !ours.try_get::<bool, _>("is_ours")? {
        return Ok(found);
    }
    let meta = sqlx::raw_sql(in_schema(LOOK_AT_META, schema));
    if let Some(meta) = meta.fetch_optional(connection).await? {
        found.version = meta.try_get("schema_version")?;
        found.home = meta.try_get("system_identifier")?;
        found.is_default_epoch = meta.try_get("is_default_epoch")?;
    }
    Ok(found)
}

/// The row that a statement without parameters returns.
async fn row(
    connection: &mut PgConnection,
    file: &str,
    schema: &str,
) -> Result<PgRow, sqlx::Error> {
    let question = sqlx::raw_sql(in_schema(file, schema));
    question.fetch_one(connection).await
}
