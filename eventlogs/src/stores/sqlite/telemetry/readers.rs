//! How many connections are open and idle in the pool of sqlx, looked at whenever one is taken or given back.

use crate::stores::database::telemetry::{Counted, PoolMetrics};
use crate::sync::lock;
use sqlx::sqlite::SqlitePool;
use std::sync::Mutex;

/// The connections, when one of them was last taken or given back.
pub(super) struct Seen(Mutex<Numbers>);

struct Numbers {
    in_use: i64,
    open: Counted,
    idle: Counted,
}

/// A connection in use.
pub(super) struct InUse<'a> {
    seen: &'a Seen,
    pool: SqlitePool,
}

impl Seen {
    pub(super) fn new(metrics: &PoolMetrics) -> Self {
        Self(Mutex::new(Numbers {
            in_use: 0,
            open: metrics.open.count(0),
            idle: metrics.idle.count(0),
        }))
    }

    /// Notes that a connection is in use, until the result is dropped.
    pub(super) fn taken(&self, pool: &SqlitePool) -> InUse<'_> {
        self.look(pool, 1);
        InUse {
            seen: self,
            pool: pool.clone(),
        }
    }

    /// The pool gets a connection back later than its user gives it back, so those in use are counted here.
    fn look(&self, pool: &SqlitePool, change: i64) {
        let mut numbers = lock(&self.0);
        numbers.in_use += change;
        let open = i64::from(pool.size());
        let idle = (open - numbers.in_use).max(0);
        numbers.open.set(open);
        numbers.idle.set(idle);
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.seen.look(&self.pool, -1);
    }
}
