//! The one connection that writes, and the guard of its current user.
//!
//! It is not in a pool of one connection: sqlx's pool pings a connection whenever it comes back, which costs the writer as much
//! as a small statement, see "Figures" in ARCHITECTURE.

use crate::stores::database::telemetry::{Counted, PoolMetrics};
use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection::HeldConnection;
use crate::stores::sqlite::error;
use crate::stores::sqlite::pool::generation::Generation;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// The connection that writes, while it is not in use.
pub(in crate::stores) enum WriterConnection {
    /// It is present.
    Idle(SqliteConnection),
    /// It was lost: its user's future was dropped half-way, or SQLite's thread has ended.
    Lost,
    /// There is none: the store only reads.
    ReadOnly,
    /// The database is in memory, where readers and writer share one connection.
    InMemory,
    /// The store is closed.
    Closed,
}

impl WriterConnection {
    /// Takes the connection out, if it is present. It counts as lost until it comes back.
    pub(in crate::stores) fn take(&mut self) -> Option<SqliteConnection> {
        match std::mem::replace(self, Self::Lost) {
            Self::Idle(connection) => Some(connection),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// The connection that writes, in use. If the guard is dropped before the connection is [given back](WriterGuard::give_back),
/// the connection is closed, which rolls back what was begun.
pub(in crate::stores) struct WriterGuard {
    /// The connection.
    connection: HeldConnection,
    /// The place to give the connection back to, unless the database is in memory.
    home: Option<OwnedMutexGuard<WriterConnection>>,
    /// The files that it has open.
    generation: Arc<Generation>,
    /// Counts it among the connections in use.
    _counted: Counted,
}

impl WriterGuard {
    /// The connection of a file.
    pub(in crate::stores) const fn for_file(
        connection: SqliteConnection,
        home: OwnedMutexGuard<WriterConnection>,
        generation: Arc<Generation>,
        counted: Counted,
    ) -> Self {
        Self {
            connection: HeldConnection::Own(connection),
            home: Some(home),
            generation,
            _counted: counted,
        }
    }

    /// The connection of a database in memory.
    pub(in crate::stores) async fn in_memory(
        generation: Arc<Generation>,
        metrics: &PoolMetrics,
    ) -> Result<Self, StoreError> {
        let connection = generation
            .readers
            .acquire()
            .await
            .map_err(error::into_store_error)?;
        Ok(Self {
            connection: HeldConnection::Pooled(connection),
            home: None,
            generation,
            _counted: metrics.taken(),
        })
    }

    /// Checks that what was just committed is in the files at the path. If it is not, it may still appear there: when SQLite
    /// closes a database, it moves the content of the log into it.
    pub(in crate::stores) fn confirm(&self) -> Result<(), StoreError> {
        let compared = self.generation.compare();
        compared.map_err(|moved| StoreError::OutcomeUnknown {
            source: Some(self.generation.replaced(moved).into()),
        })
    }

    /// Adds the path of the database, which only the store knows, to an error.
    pub(in crate::stores) fn with_path(&self, error: StoreError) -> StoreError {
        match (error, self.generation.opened()) {
            (StoreError::ReadOnly { source, .. }, Some((file, _))) => {
                error::read_only(&file.path, source)
            }
            (error, _) => error,
        }
    }

    /// Gives the connection back. No transaction may be open.
    pub(in crate::stores) fn give_back(self) {
        if let (HeldConnection::Own(connection), Some(mut home)) = (self.connection, self.home) {
            *home = WriterConnection::Idle(connection);
        }
    }

    /// Gives the connection back after a failure, unless the connection itself has failed.
    pub(in crate::stores) async fn give_back_after_failure(mut self) {
        if self.connection.ping().await.is_ok() {
            self.give_back();
        }
    }
}

impl Deref for WriterGuard {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for WriterGuard {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
