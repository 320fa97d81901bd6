//! The connections of a store.
//!
//! The pool of sqlx sends the server a query whenever a connection is returned, which costs as much as a small statement (see
//! "Figures" in ARCHITECTURE). A store therefore makes its own connections, and finds out that one is broken when it uses it:
//! every operation is tried again on the next connection.
//!
//! A fault that breaks or silences one connection has mostly done the same to all others. Connections therefore belong to a
//! generation: once one of a generation proves broken or silent, none of it is used again, so that no operation meets more than
//! one dead connection.

use crate::stores::database::nesting;
use crate::stores::database::telemetry::{Counted, PoolMetrics};
use crate::stores::postgres::attempt::Attempt;
use crate::stores::postgres::failure::{AttemptError, Failure};
use crate::stores::postgres::hosts::Hosts;
use crate::stores::postgres::statements::text::Statement;
use crate::stores::postgres::telemetry::STORE;
use crate::sync::lock;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::{Connection, Postgres, SqlStr};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

/// The longest idle time of a connection. After that a device on the network may have dropped the connection silently, so it is
/// closed.
const MAX_IDLE: Duration = Duration::from_mins(1);
/// More connections than any server has.
const MOST: u32 = 1 << 20;

/// The generation of the connections that may still be used. All connections to the same servers share it.
#[derive(Clone, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

/// A bounded number of connections to one server, or to the acceptable one of several.
pub(super) struct ConnectionPool {
    /// Where connections come from.
    source: Source,
    /// One permit per connection in use.
    places: Semaphore,
    /// How many connections may be in use.
    limit: u32,
    /// The idle connections, the last used one at the end. Locked only for a push or a pop.
    idle: Mutex<Vec<IdleConnection>>,
    /// The generation of new connections.
    generation: Generation,
    /// The statement that begins the transaction of each statement, if each must have one.
    begin: Option<SqlStr>,
    /// The metrics.
    metrics: PoolMetrics,
}

/// Where connections come from.
enum Source {
    /// The store makes them.
    Own(Hosts),
    /// They come from the user's pool.
    Pool {
        /// The user's pool.
        pool: PgPool,
        /// The generation at which the pool was last emptied: no older connection is idle in it.
        emptied: AtomicU64,
    },
}

/// An idle connection.
struct IdleConnection {
    /// The connection.
    connection: OwnConnection,
    /// When it became idle.
    since: Instant,
    /// Its generation.
    generation: u64,
    /// Counts it among those that are idle.
    _counted: Counted,
}

/// A connection that the store has made.
struct OwnConnection {
    connection: Box<PgConnection>,
    /// Counts it among those that are open.
    _counted: Counted,
}

/// A lease: a connection taken from the pool. It is closed if it is dropped before it is [given back](Leased::give_back), for
/// example when its future is dropped or the connection has failed.
pub(super) struct Leased<'a> {
    /// The connection.
    held: Held,
    /// The pool that it returns to.
    connections: &'a ConnectionPool,
    /// Its generation.
    generation: u64,
    /// Whether a transaction was begun and not ended.
    is_in_transaction: bool,
    /// The permit, for as long as the connection is in use.
    _place: SemaphorePermit<'a>,
    /// Counts it among those that are in use.
    _counted: Counted,
}

/// The connection of a lease.
enum Held {
    /// A connection that the store made.
    Own(OwnConnection),
    /// A connection of the user's pool.
    Pooled(Pooled),
}

/// A connection of the user's pool, which is closed when it is dropped. If it were returned, its pool would test it, which
/// takes indefinitely with a silent connection, and the connection would keep its place in the pool.
struct Pooled {
    /// The connection.
    connection: PoolConnection<Postgres>,
    /// Whether it is returned to its pool instead.
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
    /// Makes a pool of at most `limit` connections, which are made when they are needed.
    pub(super) fn new(
        servers: Hosts,
        limit: u32,
        generation: Generation,
        begin: Option<SqlStr>,
        name: &'static str,
    ) -> Self {
        Self::with_source(Source::Own(servers), limit, generation, begin, name)
    }

    /// Uses the connections of a user's pool, as many as it has.
    pub(super) fn from_pool(pool: PgPool, begin: Option<SqlStr>) -> Self {
        let limit = pool.options().get_max_connections();
        let emptied = AtomicU64::new(0);
        let source = Source::Pool { pool, emptied };
        Self::with_source(source, limit, Generation::default(), begin, "yours")
    }

    fn with_source(
        source: Source,
        limit: u32,
        generation: Generation,
        begin: Option<SqlStr>,
        name: &'static str,
    ) -> Self {
        let limit = limit.clamp(1, MOST);
        Self {
            source,
            places: Semaphore::new(limit as usize),
            limit,
            idle: Mutex::new(Vec::new()),
            generation,
            begin,
            metrics: PoolMetrics::new(STORE, name, limit),
        }
    }

    /// Takes a connection from the pool, once one is free.
    pub(super) async fn lease(&self, attempt: &Attempt) -> Result<Leased<'_>, Failure> {
        let place = match self.places.try_acquire() {
            Ok(place) => place,
            Err(TryAcquireError::Closed) => return Err(Failure::Closed),
            Err(TryAcquireError::NoPermits) => {
                let _waiting = self.metrics.waiting.count(1);
                let place = self.places.acquire().await;
                place.map_err(|_| Failure::Closed)?
            }
        };
        let counted = self.metrics.taken();
        let generation = self.generation.now();
        let held = match &self.source {
            Source::Pool { pool, emptied } => {
                if emptied.fetch_max(generation, Ordering::Relaxed) < generation {
                    while let Some(mut idle) = pool.try_acquire() {
                        idle.close_on_drop();
                    }
                }
                // If the pool has an idle connection, the attempt waits for no other task: the pool tests that connection
                // first.
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
                let may_be_idle = !attempt.wants_new();
                let idle = may_be_idle.then(|| self.take_idle(generation)).flatten();
                Held::Own(match idle {
                    Some(connection) => connection,
                    // Boxed, because every operation's future would have room for it otherwise.
                    None => OwnConnection {
                        connection: Box::new(Box::pin(new(servers, attempt)).await?),
                        _counted: self.metrics.open.count(1),
                    },
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
            _counted: counted,
        })
    }

    /// Takes the idle connection that was used last.
    fn take_idle(&self, generation: u64) -> Option<OwnConnection> {
        let mut idle = self.idle();
        // The others have been idle for longer.
        if idle
            .last()
            .is_some_and(|last| last.since.elapsed() > MAX_IDLE)
        {
            idle.clear();
        }
        idle.retain(|idle| idle.generation >= generation);
        idle.pop().map(|idle| idle.connection)
    }

    /// Retires a generation of which a connection is dead: no connection of it is used again.
    pub(super) fn retire(&self, generation: u64) {
        let next = generation.saturating_add(1);
        self.generation.0.fetch_max(next, Ordering::Relaxed);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<IdleConnection>> {
        lock(&self.idle)
    }

    /// Waits for the connections in use, closes all, and hands out no more.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(self.limit).await;
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for idle in idle {
            // If this fails, the server notices the end of the connection by itself.
            let _ = idle.connection.connection.close().await;
        }
        if let Source::Pool { pool, .. } = &self.source {
            pool.close().await;
        }
    }
}

/// Makes a connection to the server that the tables belong to.
async fn new(servers: &Hosts, attempt: &Attempt) -> Result<PgConnection, Failure> {
    let mut connection = servers.connect(attempt.silence()).await?;
    if attempt.wants_home() {
        servers.check_home(&mut connection).await?;
    }
    Ok(connection)
}

impl Generation {
    /// Returns the generation of connections that are made now.
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Leased<'_> {
    /// Returns all rows of a statement, and commits it if it has its own transaction.
    pub(super) async fn rows(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        self.begin_statement().await?;
        let statement = statement.persistent(self.connections.begin.is_none());
        let rows = statement.fetch_all(&mut **self).await;
        self.end_statement(rows).await
    }

    /// Begins the transaction of a page with this text.
    pub(super) async fn begin_page(&mut self, begin: SqlStr) -> Result<(), sqlx::Error> {
        self.is_in_transaction = true;
        nesting::begin::<Postgres>(self, begin).await
    }

    /// Commits the transaction of a page.
    pub(super) async fn commit_page(&mut self) -> Result<(), sqlx::Error> {
        nesting::commit::<Postgres>(self).await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Rolls the transaction of a page back.
    pub(super) async fn roll_back_page(&mut self) -> Result<(), sqlx::Error> {
        nesting::roll_back::<Postgres>(self).await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Begins the transaction of a statement, if each must have one: all messages up to its end reach one session.
    pub(super) async fn begin_statement(&mut self) -> Result<(), sqlx::Error> {
        if let Some(begin) = &self.connections.begin {
            self.is_in_transaction = true;
            let begin = sqlx::raw_sql(begin.clone());
            begin.execute(&mut **self).await?;
        }
        Ok(())
    }

    /// Ends the transaction of a statement, and returns the result of the statement.
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
        // The error of the statement says more than that of the rollback.
        let value = result?;
        ended?;
        Ok(value)
    }

    /// Makes the connection idle, after a successful operation.
    pub(super) fn give_back(self) {
        if self.is_in_transaction {
            return;
        }
        match self.held {
            Held::Own(connection) => {
                let (since, generation) = (Instant::now(), self.generation);
                self.connections.idle().push(IdleConnection {
                    connection,
                    since,
                    generation,
                    _counted: self.connections.metrics.idle.count(1),
                });
            }
            Held::Pooled(mut pooled) => pooled.is_good = true,
        }
    }

    /// Makes the connection idle, unless the result shows that it cannot be used any more.
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
            Held::Own(own) => &own.connection,
            Held::Pooled(pooled) => &pooled.connection,
        }
    }
}

impl DerefMut for Leased<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Held::Own(own) => &mut own.connection,
            Held::Pooled(pooled) => &mut pooled.connection,
        }
    }
}
