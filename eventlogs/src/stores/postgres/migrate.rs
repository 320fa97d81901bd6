//! The tables, in numbered steps.

use super::error::{self, Failure};
use super::retry::{Operation, until_answered};
use super::statements::in_schema;
use crate::stores::StoreError;
use crate::stores::schema_version::refuse_newer;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

/// The steps and the versions that they lead to. A step that was released is never changed; what is new goes into a new
/// one.
const STEPS: [(i64, &str); 1] = [(1, include_str!("migrations/0001_events.sql"))];

/// The version that this code works with.
pub(super) const NEEDED: i64 = STEPS[STEPS.len() - 1].0;

/// The tables that the first step creates.
const TABLES: [&str; 3] = ["meta", "events", "idempotency_keys"];

/// The version that a database has now.
pub(super) async fn find(operation: &Operation<'_>, schema: &str) -> Result<i64, StoreError> {
    until_answered(operation, || find_once(operation, schema)).await
}

async fn find_once(operation: &Operation<'_>, schema: &str) -> Result<i64, Failure> {
    let mut connection = operation.lease().await?;
    let version = version(&mut connection, schema).await?;
    connection.give_back();
    Ok(version)
}

/// Takes the steps that are missing, and returns the version that they lead to.
pub(super) async fn migrate(operation: &Operation<'_>, schema: &str) -> Result<i64, StoreError> {
    // Not one that rested, which may be broken: a step is not tried again.
    let connection = until_answered(operation, || operation.lease_new());
    let mut connection = connection.await?;
    let mut transaction = connection.begin().await.map_err(error::of)?;
    take_missing_steps(&mut transaction, schema).await?;
    transaction.commit().await.map_err(error::of)?;
    connection.give_back();
    Ok(NEEDED)
}

async fn take_missing_steps(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    // Of several processes that start at once, one migrates and the others find it done. Held until the commit.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('eventlogs ' || $1, 0))")
        .bind(schema)
        .execute(&mut *connection)
        .await
        .map_err(error::of)?;
    let found = version(connection, schema).await.map_err(error::of)?;
    refuse_newer(found, NEEDED)?;
    if found == 0 {
        create_schema(connection, schema).await?;
    }
    for (_, step) in STEPS.into_iter().filter(|(leads_to, _)| *leads_to > found) {
        sqlx::raw_sql(in_schema(step, schema))
            .execute(&mut *connection)
            .await
            .map_err(error::of)?;
    }
    let finish = sqlx::query(in_schema(FINISH, schema)).bind(NEEDED);
    let finished = finish.fetch_optional(&mut *connection).await;
    let epoch: Option<String> = match finished.map_err(error::of)? {
        Some(row) => row.try_get(0).map_err(error::of)?,
        None => None,
    };
    if let Some(epoch) = epoch {
        let default = DEFAULT_EPOCH.replace("{epoch}", &epoch);
        sqlx::raw_sql(in_schema(&default, schema))
            .execute(connection)
            .await
            .map_err(error::of)?;
    }
    Ok(())
}

/// A database that was restored into another server counts its transactions from the start: a new epoch begins.
const FINISH: &str = "
    update {schema}.meta set schema_version = $1, system_identifier = control.system_identifier,
           epoch = epoch + (meta.system_identifier <> control.system_identifier)::integer
    from pg_control_system() control
    returning case when coalesce((
        select pg_get_expr(adbin, adrelid) from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum
        where adrelid = '{schema}.events'::regclass and attname = 'epoch'), '') <> meta.epoch::text
        then meta.epoch::text end";

/// Appends take the epoch from the column's default, which a plan has in it. Changed only where it differs, since that locks
/// the table for a moment.
const DEFAULT_EPOCH: &str = "alter table {schema}.events alter column epoch set default {epoch}";

async fn create_schema(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    for table in TABLES {
        if exists(connection, schema, table).await? {
            return Err(StoreError::ForeignTable { table });
        }
    }
    // Asked first: `if not exists` wants the right to create schemas even where there is nothing to create.
    let found = sqlx::query("select 1 from pg_namespace where nspname = $1").bind(schema);
    if found
        .fetch_optional(&mut *connection)
        .await
        .map_err(error::of)?
        .is_none()
    {
        let create = sqlx::raw_sql(in_schema("create schema {schema}", schema));
        create.execute(connection).await.map_err(error::of)?;
    }
    Ok(())
}

/// The version of the tables; 0 where there are none of ours.
async fn version(connection: &mut PgConnection, schema: &str) -> Result<i64, sqlx::Error> {
    // A table of that name with other columns is somebody else's.
    const COLUMNS: &str = "
        select count(*) from pg_attribute
        where attrelid = to_regclass($1) and attname in ('schema_version', 'system_identifier')";
    let columns = sqlx::query(COLUMNS).bind(format!("{schema}.meta"));
    let columns: i64 = columns.fetch_one(&mut *connection).await?.try_get(0)?;
    if columns < 2 {
        return Ok(0);
    }
    let version = sqlx::query(in_schema(
        "select schema_version from {schema}.meta",
        schema,
    ));
    let version = version.fetch_optional(connection).await?;
    version.map_or(Ok(0), |row| row.try_get(0))
}

async fn exists(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<bool, StoreError> {
    let found = sqlx::query("select to_regclass($1) is not null").bind(format!("{schema}.{table}"));
    let found = found.fetch_one(connection).await;
    found.and_then(|row| row.try_get(0)).map_err(error::of)
}
