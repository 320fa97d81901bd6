//! The tables, in numbered steps.

use crate::stores::database::steps::{Step, Steps, TABLES, refuse_newer};
use crate::stores::error::store::StoreError;
use crate::stores::postgres::error;
use crate::stores::postgres::error::Failure;
use crate::stores::postgres::retry::{Operation, until_answered};
use crate::stores::postgres::statements::in_schema;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row, SqlStr};

/// The steps.
const STEPS: Steps = Steps::new(&[Step {
    version: 1,
    sql: include_str!("migrations/0001_events.sql"),
}]);

/// The version that this code works with.
pub(super) const NEEDED: i64 = STEPS.needed();

/// Stands for the version of tables that come from another server.
pub(super) const ELSEWHERE: i64 = -1;

/// What a look at a database has found.
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

/// What a database has now.
pub(super) async fn find(operation: &Operation<'_>, schema: &str) -> Result<Found, StoreError> {
    until_answered(operation, || find_once(operation, schema)).await
}

async fn find_once(operation: &Operation<'_>, schema: &str) -> Result<Found, Failure> {
    let mut connection = operation.lease().await?;
    let found = look(&mut connection, schema).await?;
    // Others are not given one that was made without asking where it leads to.
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
    let connection = until_answered(operation, || operation.lease());
    let mut connection = connection.await?;
    let mut transaction = connection.begin().await.map_err(error::of)?;
    take_missing_steps(&mut transaction, schema).await?;
    transaction.commit().await.map_err(error::of)?;
    connection.give_back();
    Ok(())
}

async fn take_missing_steps(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    // Of several processes that start at once, one migrates and the others find it done. Held until the commit. Whatever the
    // session's search path is, the steps mean what is built in, and nothing that somebody has given the same name.
    const BEGIN: &str = "
        set local search_path = pg_catalog;
        select pg_advisory_xact_lock(hashtextextended('eventlogs ' || '{schema}', 0))";
    let begin = BEGIN.replace("{schema}", schema);
    execute(connection, &begin, schema).await?;
    let found = look(connection, schema).await.map_err(error::of)?;
    let steps = STEPS.missing_steps(found.version)?;
    if found.version == 0 {
        create_schema(connection, schema).await?;
    }
    for step in steps {
        execute(connection, step.sql, schema).await?;
    }
    let finish = FINISH
        .replace("{version}", &NEEDED.to_string())
        .replace("{here}", &found.here.to_string());
    let finished = sqlx::raw_sql(in_schema(&finish, schema))
        .fetch_one(&mut *connection)
        .await;
    let epoch: i32 = finished.and_then(|row| row.try_get(0)).map_err(error::of)?;
    // Appends take the epoch from the column's default, which a plan has in it. Changed only where it differs, since that
    // locks the table for a moment.
    let found = look(connection, schema).await.map_err(error::of)?;
    if !found.is_default_epoch {
        let default = DEFAULT_EPOCH.replace("{epoch}", &epoch.to_string());
        execute(connection, &default, schema).await?;
    }
    Ok(())
}

/// A database that was restored into another server counts its transactions from the start: a new epoch begins.
const FINISH: &str = "
    update {schema}.meta set schema_version = {version},
           epoch = epoch + (system_identifier <> 0 and {here} <> 0 and system_identifier <> {here})::integer,
           system_identifier = case when {here} = 0 then system_identifier else {here} end
    returning epoch";

const DEFAULT_EPOCH: &str = "alter table {schema}.events alter column epoch set default {epoch}";

async fn execute(
    connection: &mut PgConnection,
    statements: &str,
    schema: &str,
) -> Result<(), StoreError> {
    let executed = sqlx::raw_sql(in_schema(statements, schema));
    executed.execute(connection).await.map_err(error::of)?;
    Ok(())
}

async fn create_schema(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    for table in TABLES {
        if exists(connection, schema, table).await? {
            return Err(StoreError::UnrelatedTable {
                table,
                advice: "keep the events in another schema, see `PostgresOptions::schema`",
            });
        }
    }
    // Asked first: `if not exists` wants the right to create schemas even where there is nothing to create.
    let found = "select from pg_catalog.pg_namespace where nspname = '{schema}'";
    // Without the quotes of an identifier.
    let found = sqlx::raw_sql(AssertSqlSafe(found.replace("{schema}", schema)));
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

/// Looks at the tables. Each question is a message of its own, without values, so that it needs no prepared statement.
async fn look(connection: &mut PgConnection, schema: &str) -> Result<Found, sqlx::Error> {
    // A table of that name with other columns is somebody else's.
    const OURS: &str = "
        select pg_catalog.count(*) = 2, pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute')
        from pg_catalog.pg_attribute
        where attrelid = pg_catalog.to_regclass('{schema}.meta') and attname in ('schema_version', 'system_identifier')";
    const HERE: &str = "select system_identifier from pg_catalog.pg_control_system()";
    const META: &str = "
        select schema_version, system_identifier, epoch::text is not distinct from (
            select pg_catalog.pg_get_expr(adbin, adrelid) from pg_catalog.pg_attrdef
            join pg_catalog.pg_attribute on attrelid = adrelid and attnum = adnum
            where adrelid = pg_catalog.to_regclass('{schema}.events') and attname = 'epoch')
        from {schema}.meta";
    let mut found = Found {
        version: 0,
        home: 0,
        here: 0,
        is_default_epoch: false,
    };
    let ours = sqlx::raw_sql(in_schema(OURS, schema));
    let ours = ours.fetch_one(&mut *connection).await?;
    if ours.try_get(1)? {
        let here = sqlx::raw_sql(HERE).fetch_one(&mut *connection).await?;
        found.here = here.try_get(0)?;
    }
    if !ours.try_get::<bool, _>(0)? {
        return Ok(found);
    }
    let meta = sqlx::raw_sql(in_schema(META, schema));
    if let Some(meta) = meta.fetch_optional(connection).await? {
        found.version = meta.try_get(0)?;
        found.home = meta.try_get(1)?;
        found.is_default_epoch = meta.try_get(2)?;
    }
    Ok(found)
}

/// Asked on each new connection, in one message: whether the tables are at home on the server that it leads to.
pub(super) fn is_at_home(schema: &str) -> SqlStr {
    const IS_AT_HOME: &str = "
        select meta.system_identifier in (0, control.system_identifier)
        from {schema}.meta, pg_catalog.pg_control_system() control";
    in_schema(IS_AT_HOME, schema)
}

async fn exists(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<bool, StoreError> {
    const FOUND: &str = "select pg_catalog.to_regclass('{schema}.{table}') is not null";
    let found = sqlx::raw_sql(in_schema(&FOUND.replace("{table}", table), schema));
    let found = found.fetch_one(connection).await;
    found.and_then(|row| row.try_get(0)).map_err(error::of)
}
