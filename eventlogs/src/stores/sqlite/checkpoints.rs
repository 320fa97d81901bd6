//! The checkpoints and leases of subscriptions.

use crate::cursor::{Cursor, Place};
use crate::ids::{EventId, LogId};
use crate::projection::checkpoint::{
    Checkpoint, CheckpointStore, PartitionKey, PartitionState, RegisterError, Registration,
    refuse_partitions, refuse_stale,
};
use crate::projection::database::Sqlite;
use crate::projection::known::KnownEvents;
use crate::projection::parked::{ParkedLog, ParkedWish};
use crate::projection::table::RowDatabase;
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::core::Core;
use crate::stores::sqlite::parked::parked_log;
use crate::stores::sqlite::statements::checkpoints;
use crate::stores::sqlite::statements::parked as statements;
use crate::stores::sqlite::statements::text::Statement;
use crate::stores::sqlite::{SqliteEventStore, connection, error, read, transaction};
use chrono::Utc;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row, SqlSafeStr};
use std::time::Duration;
use uuid::Uuid;

impl CheckpointStore for SqliteEventStore {
    async fn register(&self, registration: Registration<'_>) -> Result<(), RegisterError> {
        let core = self.core();
        core.check_schema().await?;
        let mut guard = transaction::begin(core.pool.writer().await?).await?;
        let mut registered = register_in(&mut guard, &registration).await;
        if let (Ok(()), Some(table)) = (&registered, registration.table) {
            let statements = Sqlite::statements(&mut guard, table).await;
            registered = statements.map(drop).map_err(RegisterError::from);
        }
        match registered {
            Ok(()) => Ok(transaction::end(guard, Ok(())).await?),
            Err(error) => {
                // The error only makes it roll back.
                let _ = transaction::end::<()>(guard, Err(StoreError::Closed)).await;
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
        // A process that waits for the lease of another one must not write all the time.
        let free = core.pool.rows(|| checkpoints::is_free(key, &owner)).await?;
        if free.is_empty() {
            return Ok(None);
        }
        let taken = write(core, checkpoints::take(key, &owner, lease)).await?;
        let taken = taken.first().map(|row| {
            Ok(Checkpoint {
                cursor: cursor(row)?,
                token: row.try_get("token")?,
            })
        });
        taken.transpose().map_err(error::into_store_error)
    }

    async fn renew(&self, owner: Uuid, lease: Duration) -> Result<(), StoreError> {
        write(self.core(), checkpoints::renew(&owner, lease)).await?;
        Ok(())
    }

    async fn release(&self, owner: Uuid) -> Result<(), StoreError> {
        write(self.core(), checkpoints::release(&owner)).await?;
        Ok(())
    }

    async fn stop(
        &self,
        key: PartitionKey<'_>,
        token: i64,
        reason: &str,
    ) -> Result<(), StoreError> {
        write(self.core(), checkpoints::stop(key, token, reason)).await?;
        Ok(())
    }

    async fn set_paused(&self, name: &str, is_paused: bool) -> Result<bool, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        write(core, checkpoints::pause(name, is_paused)).await?;
        if !is_paused {
            write(core, checkpoints::unstop(name)).await?;
        }
        Ok(!self.partitions(Some(name)).await?.is_empty())
    }

    async fn partitions(&self, name: Option<&str>) -> Result<Vec<PartitionState>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let rows = core.pool.rows(|| checkpoints::states(name)).await?;
        let states: Result<_, _> = rows.iter().map(state).collect();
        states.map_err(error::into_store_error)
    }

    async fn parked(&self, name: &str) -> Result<Vec<ParkedLog>, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let found = core.pool.rows(|| statements::list(name)).await?;
        let parked: Result<_, _> = found.iter().map(|row| parked_log(name, row)).collect();
        parked.map_err(error::into_store_error)
    }

    async fn wish(&self, name: &str, log_id: LogId, wish: &ParkedWish) -> Result<bool, StoreError> {
        let core = self.core();
        core.check_schema().await?;
        let wished = write(core, statements::wish(name, &log_id, wish)).await?;
        Ok(!wished.is_empty())
    }
}

/// Runs a statement that commits by itself.
async fn write(core: &Core, statement: Statement<'_>) -> Result<Vec<SqliteRow>, StoreError> {
    let mut guard = core.pool.writer().await?;
    let rows = connection::rows(&mut guard, statement).await;
    transaction::close(guard, rows).await
}

/// Registers a subscription in a transaction.
async fn register_in(
    connection: &mut SqliteConnection,
    registration: &Registration<'_>,
) -> Result<(), RegisterError> {
    let Registration {
        name,
        partitions,
        start,
        create,
        sources,
        ..
    } = *registration;
    let known = connection::rows(connection, checkpoints::states(Some(name))).await?;
    let registered = connection::rows(connection, checkpoints::register(registration)).await?;
    let Some(row) = registered.first() else {
        return Err(error::into_store_error(sqlx::Error::RowNotFound).into());
    };
    let is_stale: bool = row.try_get("is_stale").map_err(error::into_store_error)?;
    if is_stale && registration.refuses_stale {
        return Err(refuse_stale(name));
    }
    let stored: u16 = row.try_get("partitions").map_err(error::into_store_error)?;
    if known.is_empty() {
        for cleared in checkpoints::clear(name) {
            connection::rows(connection, cleared).await?;
        }
        make_partitions(connection, name, partitions, start, 0).await?;
        if let Some(create) = create {
            let create = AssertSqlSafe(create.to_owned()).into_sql_str();
            let created = sqlx::raw_sql(create).execute(connection).await;
            created.map_err(|error| RegisterError::Create {
                source: error.into(),
            })?;
        }
        return Ok(());
    }
    let cursors = known.iter().map(cursor).collect::<Result<Vec<_>, _>>();
    let cursors = cursors.map_err(error::into_store_error)?;
    let events = known_events(row).map_err(error::into_store_error)?;
    let events = events.after(&cursors, sources);
    connection::rows(connection, checkpoints::know(name, &events)).await?;
    if stored != partitions {
        let at = cursors.first().copied().unwrap_or_default();
        if cursors.iter().any(|cursor| *cursor != at) {
            return Err(refuse_partitions(name, stored, partitions));
        }
        // A process with the old number must not hold a token of a new partition.
        let tokens = known.iter().map(|row| row.try_get::<i64, _>("token"));
        let tokens = tokens.collect::<Result<Vec<_>, _>>();
        let tokens = tokens.map_err(error::into_store_error)?;
        let token = tokens.into_iter().max().unwrap_or_default() + 1;
        connection::rows(connection, checkpoints::repartition(name)).await?;
        connection::rows(connection, checkpoints::count(name, partitions)).await?;
        make_partitions(connection, name, partitions, at, token).await?;
    }
    connection::rows(connection, checkpoints::unstop(name)).await?;
    Ok(())
}

async fn make_partitions(
    connection: &mut SqliteConnection,
    name: &str,
    partitions: u16,
    cursor: Cursor,
    token: i64,
) -> Result<(), StoreError> {
    for partition in 0..partitions {
        let key = PartitionKey {
            name,
            partition,
            partitions,
        };
        connection::rows(connection, checkpoints::partition(key, cursor, token)).await?;
    }
    Ok(())
}

/// Returns the events that are stored as known.
fn known_events(row: &SqliteRow) -> Result<KnownEvents, sqlx::Error> {
    KnownEvents::from_stored(row.try_get("known_events")?)
}

/// Returns the cursor of a checkpoint.
fn cursor(row: &SqliteRow) -> Result<Cursor, sqlx::Error> {
    let place = Place {
        epoch: row.try_get("epoch")?,
        tx: row.try_get::<i64, _>("tx")?.cast_unsigned(),
        position: row.try_get::<i64, _>("position")?.cast_unsigned(),
    };
    let event_id = uuid(row, "event_id")?.map(EventId::from);
    Ok(Cursor::new(place, event_id))
}

fn uuid(row: &SqliteRow, column: &str) -> Result<Option<Uuid>, sqlx::Error> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    let uuid = bytes.map(Uuid::from_slice).transpose();
    uuid.map_err(|problem| sqlx::Error::Decode(problem.into()))
}

/// Returns the state of a partition from a row of `checkpoint_states.sql`.
fn state(row: &SqliteRow) -> Result<PartitionState, sqlx::Error> {
    let lease_until: Option<i64> = row.try_get("lease_until")?;
    let is_held = lease_until.is_some_and(|end| end >= checkpoints::now());
    Ok(PartitionState {
        name: row.try_get("name")?,
        partition: row.try_get("partition")?,
        partitions: row.try_get("partitions")?,
        fingerprint: row.try_get::<i64, _>("fingerprint")?.cast_unsigned(),
        is_stale: row.try_get("is_stale")?,
        missed: known_events(row)?.into_missed(),
        is_paused: row.try_get("is_paused")?,
        stopped: row.try_get("stopped")?,
        cursor: cursor(row)?,
        settled: row.try_get::<i64, _>("settled")?.unsigned_abs(),
        moved_at: read::time(row.try_get("moved_at")?),
        owner: uuid(row, "owner")?.filter(|_| is_held),
        parked: row.try_get::<i64, _>("parked")?.unsigned_abs(),
        wishes: row.try_get::<i64, _>("wishes")?.unsigned_abs(),
        oldest_unsettled: row
            .try_get::<Option<i64>, _>("oldest_unsettled")?
            .map(read::time),
        now: Utc::now(),
    })
}
