//! The checkpoints and leases of subscriptions.

use crate::cursor::Cursor;
use crate::ids::{EventId, LogId};
use crate::projection::checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, RegisterError, Registration,
    refuse_partitions, refuse_stale,
};
use crate::projection::database::Postgres;
use crate::projection::known::KnownEvents;
use crate::projection::parked::{ParkedLog, ParkedWish};
use crate::projection::table::RowDatabase;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::PostgresEventStore;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::error::into_store_error;
use crate::stores::postgres::following::{place, rows, unreadable};
use crate::stores::postgres::parked::parked_log;
use crate::stores::postgres::projection::{PageTransaction, begin, handlers_begin};
use crate::stores::postgres::statements::text::Statement;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr};
use std::time::Duration;
use uuid::Uuid;

/// How long the transaction of a registration may be idle.
const REGISTERING: Duration = Duration::from_mins(1);

impl CheckpointStore for PostgresEventStore {
    async fn register(&self, registration: Registration<'_>) -> Result<(), RegisterError> {
        let core = self.core();
        core.check_schema().await?;
        if registration.name == core.options.schema {
            return Err(RegisterError::Refused {
                reason: format!(
                    "`{}` is the schema of the events; give the projection another name",
                    registration.name
                ),
            });
        }
        let begin_text = handlers_begin(registration.name, REGISTERING, Duration::MAX);
        let mut transaction = begin(core, &begin_text).await?;
        let mut registered = register_in(core, &mut transaction, &registration).await;
        if let (Ok(()), Some(table)) = (&registered, registration.table) {
            let statements = Postgres::statements(transaction.connection(), table).await;
            registered = statements.map(drop).map_err(RegisterError::from);
        }
        match registered {
            Ok(()) => Ok(transaction.commit().await?),
            Err(error) => {
                transaction.roll_back().await;
                Err(error)
            }
        }
    }

    async fn take(
        &self,
        key: PartitionKey<'_>,
        owner: Uuid,
        lease: Duration,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let statements = &core.statements.checkpoints;
        let taken = rows(core, || statements.take(key, owner, lease)).await?;
        let taken = taken.first().map(|row| {
            Ok(Checkpoint {
                cursor: cursor(row)?,
                token: row.try_get("token")?,
            })
        });
        taken.transpose().map_err(unreadable)
    }

    async fn renew(&self, owner: Uuid, lease: Duration) -> Result<(), StoreError> {
        let core = self.core();
        let statements = &core.statements.checkpoints;
        rows(core, || statements.renew(owner, lease)).await?;
        Ok(())
    }

    async fn release(&self, owner: Uuid) -> Result<(), StoreError> {
        let core = self.core();
        rows(core, || core.statements.checkpoints.release(owner)).await?;
        Ok(())
    }

    async fn stop(
        &self,
        key: PartitionKey<'_>,
        token: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        let core = self.core();
        let statements = &core.statements.checkpoints;
        rows(core, || statements.stop(key, token, reason)).await?;
        Ok(())
    }

    async fn set_paused(&self, name: &str, is_paused: bool) -> Result<bool, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let statements = &core.statements.checkpoints;
        rows(core, || statements.pause(name, is_paused)).await?;
        if !is_paused {
            rows(core, || statements.unstop(name)).await?;
        }
        Ok(!self.partitions(Some(name)).await?.is_empty())
    }

    async fn partitions(&self, name: Option<&str>) -> Result<Vec<PartitionState>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let found = rows(core, || core.statements.checkpoints.states(name)).await?;
        let states: Result<_, _> = found.iter().map(state).collect();
        states.map_err(unreadable)
    }

    async fn parked(&self, name: &str) -> Result<Vec<ParkedLog>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let found = rows(core, || core.statements.parked.list(name)).await?;
        let parked: Result<_, _> = found.iter().map(|row| parked_log(name, row)).collect();
        parked.map_err(unreadable)
    }

    async fn wish(&self, name: &str, log_id: LogId, wish: &ParkedWish) -> Result<bool, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let statements = &core.statements.parked;
        let wished = rows(core, || statements.wish(name, log_id, wish)).await?;
        Ok(!wished.is_empty())
    }
}

/// Registers a subscription in a transaction.
async fn register_in(
    core: &Core,
    transaction: &mut PageTransaction<'_>,
    registration: &Registration<'_>,
) -> Result<(), RegisterError> {
    let statements = &core.statements.checkpoints;
    let name = registration.name;
    let registered = fetch(core, transaction, statements.register(registration)).await?;
    let Some(row) = registered.first() else {
        return Err(unreadable(sqlx::Error::RowNotFound).into());
    };
    let is_new: bool = row.try_get("is_new").map_err(unreadable)?;
    let is_stale: bool = row.try_get("is_stale").map_err(unreadable)?;
    if is_stale && registration.refuses_stale {
        return Err(refuse_stale(name));
    }
    let stored: i32 = row.try_get("partitions").map_err(unreadable)?;
    let stored = u16::try_from(stored).unwrap_or(u16::MAX);
    let partitions = registration.partitions;
    if is_new {
        fetch(core, transaction, statements.clear(name)).await?;
        let made = statements.partitions(name, partitions, registration.start, 0);
        fetch(core, transaction, made).await?;
        return create(core, transaction, registration).await;
    }
    let known = known_events(row).map_err(unreadable)?;
    note_events(core, transaction, registration, &known).await?;
    if stored != partitions {
        let common = fetch(core, transaction, statements.common(name)).await?;
        let cursors = common.iter().map(cursor).collect::<Result<Vec<_>, _>>();
        let cursors = cursors.map_err(unreadable)?;
        let at = cursors.first().copied().unwrap_or_default();
        if cursors.iter().any(|cursor| *cursor != at) {
            return Err(refuse_partitions(name, stored, partitions));
        }
        // A process with the old number must not hold a token of a new partition.
        let tokens = common.iter().map(|row| row.try_get::<i64, _>("token"));
        let tokens = tokens.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let token = tokens.into_iter().max().unwrap_or_default() + 1;
        let removed = statements.repartition(name, partitions);
        fetch(core, transaction, removed).await?;
        let made = statements.partitions(name, partitions, at, token);
        fetch(core, transaction, made).await?;
    }
    fetch(core, transaction, statements.unstop(name)).await?;
    Ok(())
}

/// Notes which events the code knows now, and which of them older code has passed over.
async fn note_events(
    core: &Core,
    transaction: &mut PageTransaction<'_>,
    registration: &Registration<'_>,
    known: &KnownEvents,
) -> Result<(), RegisterError> {
    if *known == known.after(&[], registration.sources) {
        return Ok(());
    }
    let statements = &core.statements.checkpoints;
    let name = registration.name;
    let common = fetch(core, transaction, statements.common(name)).await?;
    let cursors = common.iter().map(cursor).collect::<Result<Vec<_>, _>>();
    let known = known.after(&cursors.map_err(unreadable)?, registration.sources);
    fetch(core, transaction, statements.know(name, &known)).await?;
    Ok(())
}

/// Creates the schema and the tables of a projection.
async fn create(
    core: &Core,
    transaction: &mut PageTransaction<'_>,
    registration: &Registration<'_>,
) -> Result<(), RegisterError> {
    let Some(create) = registration.create else {
        return Ok(());
    };
    let name = registration.name;
    let failed = |error: sqlx::Error| RegisterError::Create {
        source: error.into(),
    };
    let exists = sqlx::query("select pg_catalog.to_regnamespace($1) is not null as has_schema");
    let exists = fetch(core, transaction, exists.bind(name)).await?;
    let exists = exists
        .first()
        .map_or(Ok(false), |row| row.try_get("has_schema"));
    if !exists.map_err(unreadable)? {
        let schema = AssertSqlSafe(format!("create schema \"{name}\"")).into_sql_str();
        let made = sqlx::raw_sql(schema)
            .execute(transaction.connection())
            .await;
        made.map_err(|error| match into_store_error(error) {
            StoreError::InsufficientPrivilege { source, .. } => RegisterError::Refused {
                reason: format!(
                    "the database user may not create its schema ({}); grant the user `create` on the database, or create \
                     the schema `{name}` for the user",
                    source.cause()
                ),
            },
            error => RegisterError::Create {
                source: error.into(),
            },
        })?;
    }
    let create = AssertSqlSafe(create.to_owned()).into_sql_str();
    let created = sqlx::raw_sql(create)
        .execute(transaction.connection())
        .await;
    created.map_err(failed)?;
    Ok(())
}

async fn fetch(
    core: &Core,
    transaction: &mut PageTransaction<'_>,
    statement: Statement<'_>,
) -> Result<Vec<PgRow>, StoreError> {
    let statement = statement.persistent(core.options.pooler.keeps_statements());
    let rows = statement.fetch_all(transaction.connection()).await;
    rows.map_err(into_store_error)
}

/// Returns the events that are stored as known.
fn known_events(row: &PgRow) -> Result<KnownEvents, sqlx::Error> {
    KnownEvents::from_stored(row.try_get("known_events")?)
}

/// Returns the cursor of a checkpoint.
fn cursor(row: &PgRow) -> Result<Cursor, sqlx::Error> {
    let place = place(row, ["epoch", "tx_number", "position"])?;
    let event_id: Option<Uuid> = row.try_get("event_id")?;
    Ok(Cursor::new(
        place.unwrap_or_default(),
        event_id.map(EventId::from),
    ))
}

/// Returns the state of a partition from a row of `checkpoint_states.sql`.
fn state(row: &PgRow) -> Result<PartitionState, sqlx::Error> {
    let number = |column| {
        let number: i32 = row.try_get(column)?;
        Ok::<_, sqlx::Error>(u16::try_from(number).unwrap_or(u16::MAX))
    };
    Ok(PartitionState {
        name: row.try_get("name")?,
        partition: number("partition")?,
        partitions: number("partitions")?,
        fingerprint: row.try_get::<i64, _>("fingerprint")?.cast_unsigned(),
        is_stale: row.try_get("is_stale")?,
        missed: known_events(row)?.into_missed(),
        is_paused: row.try_get("is_paused")?,
        stopped: row.try_get("stopped")?,
        cursor: cursor(row)?,
        settled: row.try_get::<i64, _>("settled")?.unsigned_abs(),
        moved_at: row.try_get("moved_at")?,
        owner: row.try_get("owner")?,
        parked: row.try_get::<i64, _>("parked")?.unsigned_abs(),
        wishes: row.try_get::<i64, _>("wishes")?.unsigned_abs(),
        oldest_unsettled: row.try_get("oldest_unsettled")?,
        now: row.try_get("now")?,
    })
}
