//! The one connection that writes, and its turns.
//!
//! It is no pool of one: sqlx's pool has a connection answer a question whenever it comes back, which costs the writer as
//! much as a small statement.

use super::error;
use crate::stores::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use sqlx::{ConnectOptions, Connection, Sqlite};
use std::ops::{Deref, DerefMut};
use tokio::sync::{Mutex, MutexGuard};

/// The connection that writes.
pub(super) enum Writing {
    /// That of a file.
    File {
        /// How it is made anew, should it be lost.
        options: Box<SqliteConnectOptions>,
        /// Locked by whoever has the turn, first come, first served.
        place: Mutex<Slot>,
    },
    /// That of a database in memory, where the readers use it, too.
    Memory(SqlitePool),
}

/// Where the connection of a file rests.
pub(super) enum Slot {
    /// It is there.
    Taken(SqliteConnection),
    /// It was lost: whoever had the turn went away in the middle, or SQLite's thread has ended.
    Empty,
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
}

/// A connection, from wherever.
enum Connected {
    Own(SqliteConnection),
    Pooled(PoolConnection<Sqlite>),
}

impl Writing {
    /// Connects to a file.
    pub(super) async fn connect(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let connection = options.connect().await?;
        Ok(Self::File {
            options: Box::new(options),
            place: Mutex::new(Slot::Taken(connection)),
        })
    }

    /// Shares a connection with others.
    pub(super) const fn of_pool(pool: SqlitePool) -> Self {
        Self::Memory(pool)
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        let (options, place) = match self {
            Self::File { options, place } => (options, place),
            Self::Memory(pool) => {
                let connection = pool.acquire().await.map_err(error::of)?;
                return Ok(Turn {
                    connection: Connected::Pooled(connection),
                    place: None,
                });
            }
        };
        let mut place = place.lock().await;
        let connection = match std::mem::replace(&mut *place, Slot::Empty) {
            Slot::Taken(connection) => connection,
            Slot::Empty => options.connect().await.map_err(error::of)?,
            Slot::Closed => {
                *place = Slot::Closed;
                return Err(StoreError::Closed);
            }
        };
        Ok(Turn {
            connection: Connected::Own(connection),
            place: Some(place),
        })
    }

    /// Waits for the last turn, and closes.
    pub(super) async fn close(&self) {
        match self {
            Self::File { place, .. } => {
                let last = std::mem::replace(&mut *place.lock().await, Slot::Closed);
                if let Slot::Taken(connection) = last {
                    // What it would say is that the file cannot be tidied up; the next one to open it will do so.
                    let _ = connection.close().await;
                }
            }
            Self::Memory(pool) => pool.close().await,
        }
    }
}

impl Turn<'_> {
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
