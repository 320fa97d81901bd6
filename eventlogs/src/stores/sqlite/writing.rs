//! The one connection that writes, and its turns.
//!
//! It is no pool of one: sqlx's pool has a connection answer a question whenever it comes back, which costs the writer as
//! much as a small statement.

use crate::stores::error::store::StoreError;
use crate::stores::sqlite::connection::{Connections, Generation};
use crate::stores::sqlite::error;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Sqlite};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::sync::MutexGuard;

/// Where the connection that writes rests.
pub(super) enum Slot {
    /// It is there.
    Taken(SqliteConnection),
    /// It was lost: whoever had the turn went away in the middle, or SQLite's thread has ended.
    Empty,
    /// There is none: the store only reads.
    ReadOnly,
    /// The database is in memory, where the readers use it, too.
    Memory,
    /// The store is closed.
    Closed,
}

/// A turn to write. Dropped before it is [over](Turn::over), it closes the connection, and with that rolls back what was
/// begun.
pub(super) struct Turn<'a> {
    /// The connection.
    connection: Connected,
    /// Where it goes back to, if it is that of a file.
    place: Option<MutexGuard<'a, Slot>>,
    /// The files that it has open.
    generation: Arc<Generation>,
    /// Whose turn it is.
    connections: &'a Connections,
}

/// A connection, from wherever.
pub(super) enum Connected {
    Own(SqliteConnection),
    Pooled(PoolConnection<Sqlite>),
}

impl Slot {
    /// What is left of a place whose connection is taken out.
    pub(super) const fn empty_like(place: &Self) -> Self {
        match place {
            Self::Taken(_) | Self::Empty => Self::Empty,
            Self::ReadOnly => Self::ReadOnly,
            Self::Memory => Self::Memory,
            Self::Closed => Self::Closed,
        }
    }
}

impl Connections {
    /// Waits for a turn. Its connection has the files open that stand at the path now.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        let mut place = self.place.lock().await;
        match *place {
            Slot::Taken(_) if self.generation().compare().is_ok() => {}
            Slot::Taken(_) | Slot::Empty => self.renew(&mut place).await?,
            Slot::ReadOnly => return Err(self.read_only()),
            Slot::Memory => {
                drop(place);
                return self.pooled_turn().await;
            }
            Slot::Closed => return Err(StoreError::Closed),
        }
        let left = Slot::empty_like(&place);
        let Slot::Taken(connection) = std::mem::replace(&mut *place, left) else {
            return Err(StoreError::Closed);
        };
        Ok(Turn {
            connection: Connected::Own(connection),
            place: Some(place),
            generation: self.generation(),
            connections: self,
        })
    }

    async fn pooled_turn(&self) -> Result<Turn<'_>, StoreError> {
        let generation = self.generation();
        let connection = generation.readers.acquire().await.map_err(error::of)?;
        Ok(Turn {
            connection: Connected::Pooled(connection),
            place: None,
            generation,
            connections: self,
        })
    }

    fn read_only(&self) -> StoreError {
        StoreError::ReadOnly {
            path: self.opener().map(|opener| opener.path.clone()),
            advice: error::READ_ONLY,
            source: "the store was opened with `SqliteEventStore::open_read_only`".into(),
        }
    }
}

impl Turn<'_> {
    /// Whether what was just committed stands in the files at the path. If not, it may still be found there: SQLite takes
    /// what is in a log into the database when it closes it.
    pub(super) fn confirm(&self) -> Result<(), StoreError> {
        let compared = self.generation.compare();
        compared.map_err(|moved| StoreError::OutcomeUnknown {
            source: Some(self.generation.replaced(moved).into()),
        })
    }

    /// Adds to an error what only the store knows: where the database is.
    pub(super) fn name(&self, error: StoreError) -> StoreError {
        match (error, self.connections.opener()) {
            (StoreError::ReadOnly { source, .. }, Some(opener)) => {
                error::read_only(&opener.path, source)
            }
            (error, _) => error,
        }
    }

    /// Ends the turn. No transaction may be open.
    pub(super) fn over(self) {
        if let (Connected::Own(connection), Some(mut place)) = (self.connection, self.place) {
            *place = Slot::Taken(connection);
        }
    }

    /// Ends the turn after a failure, which may have been the connection's own.
    pub(super) async fn over_after_failure(mut self) {
        if self.connection.ping().await.is_ok() {
            self.over();
        }
    }
}

impl Deref for Turn<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Connected {
    /// Closes a connection of one's own, or gives it back.
    pub(super) async fn close(self) {
        if let Self::Own(connection) = self {
            // What it would say is that the file cannot be tidied up.
            let _ = connection.close().await;
        }
    }
}

impl Deref for Connected {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl DerefMut for Connected {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}
