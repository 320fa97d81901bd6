//! The connections of a store.
//!
//! sqlx's own pool sends the server a question whenever a connection comes back, which costs as much as a small statement. A
//! store makes its own connections therefore, and finds out that one is broken when it is used: every operation is tried
//! again on the next.
//!
//! What has broken or silenced one connection has mostly done it to all of them. They are of a generation therefore: once one
//! of it proves dead, none of it is used again, so that no operation has to find out about more than one.

use crate::stores::postgres::attempt::Attempt;
use crate::stores::postgres::failure::{AttemptError, Failure};
use crate::stores::postgres::hosts::Hosts;
use crate::stores::postgres::statements::text::Statement;
use crate::sync::lock;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::{Connection, Postgres, SqlStr};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A connection that was not used for longer than this is closed: something on the way may have forgotten it, silently.
const LONGEST_REST: Duration = Duration::from_mins(1);
/// More connections than any server has.
const MOST: u32 = 1 << 20;

/// Which connections are still used: those of this generation. Shared by all connections to the same servers.
#[derive(Clone, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

/// A bounded number of connections to one server, or to the one of several that is wanted.
pub(super) struct ConnectionPool {
    /// Where they come from.
    source: Source,
    /// One permit a connection in use.
    places: Semaphore,
    /// How many may be in use.
    limit: u32,
    /// Those at rest, the last used one at the end. Locked for a push or a pop only.
    resting: Mutex<Vec<Resting>>,
    /// The generation of new ones.
    generation: Generation,
    /// What begins the transaction of a statement, where each must have one.
    begin: Option<SqlStr>,
}

/// Where connections come from.
enum Source {
    /// They are made here.
    Own(Hosts),
    /// They are the user's.
    Pool {
        /// Where they rest.
        pool: PgPool,
        /// The generation since which none of an older one has rested there.
        emptied: AtomicU64,
    },
}

/// A connection that nobody uses.
struct Resting {
    /// The connection.
    connection: Box<PgConnection>,
    /// Since when.
    since: Instant,
    /// Its generation.
    generation: u64,
}

/// A connection in use. Dropped before it is [given back](Leased::give_back), as when its future is dropped or it has
/// failed, it is closed.
pub(super) struct Leased<'a> {
    /// The connection.
    held: Held,
    /// Where it goes.
    connections: &'a ConnectionPool,
    /// Its generation.
    generation: u64,
    /// Whether a transaction was begun and not ended.
    is_in_transaction: bool,
    /// Its place, for as long as it is in use.
    _place: SemaphorePermit<'a>,
}

/// The connection itself.
enum Held {
    /// One of our own.
    Own(Box<PgConnection>),
    /// One of the user's.
    Pooled(Pooled),
}

/// One of the user's connections, which is closed when it is dropped: returned to its pool it would be tried out, for which
/// a silent one takes for ever, and its place in the pool with it.
struct Pooled {
    /// The connection.
    connection: PoolConnection<Postgres>,
    /// Whether it is returned to its pool after all.
    is_good: bool,
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if !self.is_good {
            self.connection.close_on_drop();
        }
    }
}

impl ConnectionPool {
    /// At most `limit` connections, made as they are needed.
    pub(super) fn new(
        servers: Hosts,
        limit: u32,
        generation: Generation,
        begin: Option<SqlStr>,
    ) -> Self {
        Self::with_source(Source::Own(servers), limit, generation, begin)
    }

    /// The connections of a user's pool, as many as it has.
    pub(super) fn from_pool(pool: PgPool, begin: Option<SqlStr>) -> Self {
        let limit = pool.options().get_max_connections();
        let emptied = AtomicU64::new(0);
        let source = Source::Pool { pool, emptied };
        Self::with_source(source, limit, Generation::default(), begin)
    }

    fn with_source(
        source: Source,
        limit: u32,
        generation: Generation,
        begin: Option<SqlStr>,
    ) -> Self {
        let limit = limit.clamp(1, MOST);
        Self {
            source,
            places: Semaphore::new(limit as usize),
            limit,
            resting: Mutex::new(Vec::new()),
            generation,
            begin,
        }
    }

    /// A connection, once there is one.
    pub(super) async fn lease(&self, attempt: &Attempt) -> Result<Leased<'_>, Failure> {
        let place = self.places.acquire().await;
        let place = place.map_err(|_| Failure::Closed)?;
        let generation = self.generation.now();
        let held = match &self.source {
            Source::Pool { pool, emptied } => {
                if emptied.fetch_max(generation, Ordering::Relaxed) < generation {
                    while let Some(mut resting) = pool.try_acquire() {
                        resting.close_on_drop();
                    }
                }
                // Where one rests, there is nobody else to wait for, and it is tried out first.
                if pool.num_idle() > 0 {
                    attempt.server_begins_on(generation);
                }
                let pooled = Box::pin(pool.acquire()).await;
                Held::Pooled(Pooled {
                    connection: pooled.map_err(Failure::connecting)?,
                    is_good: false,
                })
            }
            Source::Own(servers) => {
                attempt.server_begins();
                let may_rest = !attempt.wants_new();
                let rested = may_rest.then(|| self.rested(generation)).flatten();
                Held::Own(match rested {
                    Some(connection) => connection,
                    // Boxed, or every operation's future would have room for it.
                    None => Box::new(Box::pin(new(servers, attempt)).await?),
                })
            }
        };
        attempt.server_begins_on(generation);
        Ok(Leased {
            held,
            connections: self,
            generation,
            is_in_transaction: false,
            _place: place,
        })
    }

    /// The connection that was used last.
    fn rested(&self, generation: u64) -> Option<Box<PgConnection>> {
        let mut resting = self.resting();
        // The others have rested longer.
        if resting
            .last()
            .is_some_and(|last| last.since.elapsed() > LONGEST_REST)
        {
            resting.clear();
        }
        resting.retain(|resting| resting.generation >= generation);
        resting.pop().map(|resting| resting.connection)
    }

    /// A connection of this generation is dead. None of it is used again.
    pub(super) fn retire(&self, generation: u64) {
        let next = generation.saturating_add(1);
        self.generation.0.fetch_max(next, Ordering::Relaxed);
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Resting>> {
        lock(&self.resting)
    }

    /// Waits for those in use, closes all, and gives out no more.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(self.limit).await;
        self.places.close();
        drop(all);
        let resting = std::mem::take(&mut *self.resting());
        for resting in resting {
            // The server notices in any case.
            let _ = resting.connection.close().await;
        }
        if let Source::Pool { pool, .. } = &self.source {
            pool.close().await;
        }
    }
}

/// A new connection, to the server that the tables belong to.
async fn new(servers: &Hosts, attempt: &Attempt) -> Result<PgConnection, Failure> {
    let mut connection = servers.connect(attempt.silence()).await?;
    if attempt.wants_home() {
        servers.check_home(&mut connection).await?;
    }
    Ok(connection)
}

impl Generation {
    /// The one of connections that are made now.
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Leased<'_> {
    /// The whole answer to a statement, which is committed if it has a transaction of its own.
    pub(super) async fn rows(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        self.begin_statement().await?;
        let statement = statement.persistent(self.connections.begin.is_none());
        let rows = statement.fetch_all(&mut **self).await;
        self.end_statement(rows).await
    }

    /// Begins the transaction of a statement, where each must have one: what follows reaches one session then.
    pub(super) async fn begin_statement(&mut self) -> Result<(), sqlx::Error> {
        if let Some(begin) = &self.connections.begin {
            self.is_in_transaction = true;
            let begin = sqlx::raw_sql(begin.clone());
            begin.execute(&mut **self).await?;
        }
        Ok(())
    }

    /// Ends it, and returns what became of the statement in it.
    pub(super) async fn end_statement<T, E: From<sqlx::Error>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<T, E> {
        if !self.is_in_transaction {
            return result;
        }
        let end = if result.is_ok() { "commit" } else { "rollback" };
        let ended = sqlx::raw_sql(end).execute(&mut **self).await;
        self.is_in_transaction = ended.is_err();
        // What the statement said first says more.
        let value = result?;
        ended?;
        Ok(value)
    }

    /// Keeps the connection for the next one, after an operation that has gone through.
    pub(super) fn give_back(self) {
        if self.is_in_transaction {
            return;
        }
        match self.held {
            Held::Own(connection) => {
                let (since, generation) = (Instant::now(), self.generation);
                self.connections.resting().push(Resting {
                    connection,
                    since,
                    generation,
                });
            }
            Held::Pooled(mut pooled) => pooled.is_good = true,
        }
    }

    /// Keeps the connection, unless what was done with it has shown that it is of no use any more.
    pub(super) fn give_back_after<T, E>(self, result: &Result<T, AttemptError<E>>) {
        match result {
            Err(AttemptError::Failed(failure)) if failure.ends_connection() => {}
            _ => self.give_back(),
        }
    }
}

impl Deref for Leased<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.held {
            Held::Own(connection) => connection,
            Held::Pooled(pooled) => &pooled.connection,
        }
    }
}

impl DerefMut for Leased<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Held::Own(connection) => connection,
            Held::Pooled(pooled) => &mut pooled.connection,
        }
    }
}
