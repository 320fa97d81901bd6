//! Migrations: the tables, in numbered steps.

use crate::stores::database::steps::{Step, refuse_newer};
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

/// The state of a database.
pub(super) struct Found {
    /// The version of the tables; 0 if there are no tables of this store.
    version: i64,
    /// The identifier of the server that the tables were last migrated on; 0 if it is not known.
    home: i64,
    /// The identifier of this server; 0 if this role lacks the privilege to ask for it.
    here: i64,
    /// Whether appends use the current epoch of the tables.
    is_default_epoch: bool,
}

impl Found {
    /// Returns `true` if the tables come from another server: their transaction numbers do not compare with those of this
    /// server.
    const fn is_from_elsewhere(&self) -> bool {
        self.home != 0 && self.here != 0 && self.home != self.here
    }

    /// Returns the version for an operation that uses the tables.
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

/// Looks up the state of a database.
pub(super) async fn find(operation: &Operation<'_>, schema: &str) -> Result<Found, StoreError> {
    retry::read(operation, || find_once(operation, schema)).await
}

async fn find_once(operation: &Operation<'_>, schema: &str) -> Result<Found, AttemptError> {
    let mut connection = operation.lease().await?;
    let found = look(&mut connection, schema).await?;
    // Other operations must not get a connection that was made without a check of its server.
    if !found.is_from_elsewhere() {
        connection.give_back();
    }
    Ok(found)
}

/// Returns `true` if there is something to migrate. Tables that are up to date are not touched, so a role that only uses the
/// tables may call for their migration.
pub(super) async fn is_due(operation: &Operation<'_>, schema: &str) -> Result<bool, StoreError> {
    let found = find(operation, schema).await?;
    refuse_newer(found.version, NEEDED)?;
    Ok(!found.is_up_to_date())
}

/// Takes the missing steps.
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
    // Whatever the session's search path is, the steps must use the built-in functions, and no others of the same names.
    execute(connection, "set local search_path = pg_catalog", schema).await?;
    // If several processes start at the same time, one migrates and the others find it done. The lock is held until the commit.
    execute(connection, LOCK_MIGRATION, schema).await?;
    let found = look(connection, schema).await.map_err(into_store_error)?;
    let steps: Vec<_> = STEPS.missing_steps(found.version)?.collect();
    prepare_schema(connection, schema, &steps).await?;
    for step in steps {
        execute(connection, step.sql, schema).await?;
    }
    // Not kept: with a pooler, the next transaction may be in another session.
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

/// Refuses tables of another program, and creates the schema if there is none.
async fn prepare_schema(
    connection: &mut PgConnection,
    schema: &str,
    steps: &[&Step],
) -> Result<(), StoreError> {
    let found = row(connection, LOOK_FOR_SCHEMA, schema).await;
    let found = found.map_err(into_store_error)?;
    for table in steps.iter().flat_map(|step| step.tables) {
        if found.try_get(table).map_err(into_store_error)? {
            return Err(StoreError::UnrelatedTable {
                table,
                advice: "keep the events in another schema, see `PostgresOptions::schema`, or give the other table another name",
            });
        }
    }
    // `if not exists` needs the privilege to create schemas even if there is nothing to create.
    if !found
        .try_get::<bool, _>("has_schema")
        .map_err(into_store_error)?
    {
        execute(connection, "create schema {schema}", schema).await?;
    }
    Ok(())
}

/// Looks at the tables. Each query is a message of its own, without values, so that it needs no prepared statement.
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

/// Returns the row of a statement without parameters.
async fn row(
    connection: &mut PgConnection,
    file: &str,
    schema: &str,
) -> Result<PgRow, sqlx::Error> {
    let question = sqlx::raw_sql(in_schema(file, schema));
    question.fetch_one(connection).await
}
