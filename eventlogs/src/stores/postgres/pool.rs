//! The connections of a store.
//!
//! sqlx's own pool sends the server a question whenever a connection comes back, which costs as much as a small statement. A
//! store makes its own connections therefore, and finds out that one is broken when it is used: every operation is tried
//! again on the next.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions, Connection, Postgres};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A connection that was not used for longer than this is closed: something on the way may have forgotten it, silently.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// A bounded number of connections to one server.
pub(super) struct Connections {
    /// Where they come from.
    source: Source,
    /// One permit a connection in use.
    places: Semaphore,
    /// How many may be in use.
    limit: u32,
    /// Those at rest, the last used one at the end. Locked for a push or a pop only.
    resting: Mutex<Vec<(PgConnection, Instant)>>,
}

/// Where connections come from.
enum Source {
    /// They are made here, like this.
    Own(Box<PgConnectOptions>),
    /// They are the user's.
    Pool(PgPool),
}

/// A connection in use. Dropped before it is [given back](Leased::give_back), as when its future is dropped or it has
/// failed, it is closed.
pub(super) struct Leased<'a> {
    /// The connection.
    held: Held,
    /// Where it goes.
    connections: &'a Connections,
    /// Its place, for as long as it is in use.
    _place: SemaphorePermit<'a>,
}

/// The connection itself.
enum Held {
    /// One of our own.
    Own(Box<PgConnection>),
    /// One of the user's.
    Pooled(PoolConnection<Postgres>),
}

impl Connections {
    /// At most `limit` connections, made as they are needed.
    pub(super) fn new(connect: PgConnectOptions, limit: u32) -> Self {
        Self::of(Source::Own(Box::new(connect)), limit)
    }

    /// The connections of a user's pool, as many as it has.
    pub(super) fn of_pool(pool: PgPool) -> Self {
        let limit = pool.options().get_max_connections();
        Self::of(Source::Pool(pool), limit)
    }

    fn of(source: Source, limit: u32) -> Self {
        Self {
            source,
            places: Semaphore::new(limit.max(1) as usize),
            limit: limit.max(1),
            resting: Mutex::new(Vec::new()),
        }
    }

    /// A connection, once there is one.
    pub(super) async fn lease(&self) -> Result<Leased<'_>, sqlx::Error> {
        let place = self.places.acquire().await;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        let held = match &self.source {
            Source::Pool(pool) => Held::Pooled(Box::pin(pool.acquire()).await?),
            Source::Own(connect) => Held::Own(Box::new(match self.rested() {
                Some(connection) => connection,
                // Boxed, or every operation's future would have room for it.
                None => Box::pin(connect.connect()).await?,
            })),
        };
        Ok(Leased {
            held,
            connections: self,
            _place: place,
        })
    }

    /// The connection that was used last.
    fn rested(&self) -> Option<PgConnection> {
        let mut resting = self.resting();
        // The others have rested longer.
        if resting
            .last()
            .is_some_and(|(_, since)| since.elapsed() > LONGEST_REST)
        {
            resting.clear();
        }
        resting.pop().map(|(connection, _)| connection)
    }

    /// A push or a pop cannot leave it half-changed.
    fn resting(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for those in use, closes all, and gives out no more.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(self.limit).await;
        self.places.close();
        drop(all);
        let resting = std::mem::take(&mut *self.resting());
        for (connection, _) in resting {
            // The server notices in any case.
            let _ = connection.close().await;
        }
        if let Source::Pool(pool) = &self.source {
            pool.close().await;
        }
    }
}

impl Leased<'_> {
    /// Keeps the connection for the next one, after an operation that has gone through.
    pub(super) fn give_back(self) {
        if let Held::Own(connection) = self.held {
            self.connections
                .resting()
                .push((*connection, Instant::now()));
        }
    }

    /// Closes the connection.
    pub(super) fn give_up(mut self) {
        if let Held::Pooled(connection) = &mut self.held {
            connection.close_on_drop();
        }
    }
}

impl Deref for Leased<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.held {
            Held::Own(connection) => connection,
            Held::Pooled(connection) => connection,
        }
    }
}

impl DerefMut for Leased<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Held::Own(connection) => connection,
            Held::Pooled(connection) => connection,
        }
    }
}
