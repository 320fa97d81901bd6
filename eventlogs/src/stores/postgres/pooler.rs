//! Connection poolers between a store and its server.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::time::Duration;

/// The longest timeout that PostgreSQL takes, in milliseconds.
const LONGEST: u128 = i32::MAX as u128;

/// The settings that each session must have.
pub(super) const SETTINGS: [(&str, &str); 6] = [
    // The planner's estimate for a custom plan never loses, so the server would plan at every execution. And a plan that is
    // made while the tables are small must not read whole tables when they have grown.
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // The disabled kinds of plans count as immense costs, for which the server would compile each statement. That takes much
    // longer than to execute it: see "Figures" in ARCHITECTURE.
    ("jit", "off"),
    // Where other users may create functions, the statements must not find those in place of the built-in ones.
    ("search_path", "pg_catalog"),
];

/// The connection pooler between a store and its server, such as PgBouncer.
///
/// A store relies on the settings and the prepared statements of its sessions. A pooler shares sessions among its clients,
/// which interferes with both, so the store must know about the pooler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooler {
    /// No pooler, or one that passes on everything that it is sent.
    ///
    /// The settings are sent as startup parameters. PgBouncer refuses them
    /// ([`StoreError::Pooler`](crate::stores::StoreError::Pooler)), unless its configuration says
    /// `ignore_startup_parameters = extra_float_digits,options`. With that line, a store works in PgBouncer's mode `session`,
    /// but without the settings: [`lock_timeout`](crate::PostgresOptions::lock_timeout) has no effect, and the server chooses
    /// the plans.
    #[default]
    None,
    /// A pooler that gives each connection its own session for as long as it is open: PgBouncer with `pool_mode = session`.
    ///
    /// The settings are sent in a separate message after connecting, and no startup parameter is sent that PgBouncer would
    /// refuse. Do not use it for `pool_mode = transaction`: the settings would remain in sessions that other clients get.
    Session,
    /// A pooler that hands a session to another client after each transaction: PgBouncer with `pool_mode = transaction`, of any
    /// version and with any configuration.
    ///
    /// Each statement is a transaction of its own, whose begin carries the settings, and no statement stays prepared for
    /// longer. So an operation takes four round trips instead of one: begin, parse, execute, commit. Concurrent writes are sent
    /// together as always, and share these round trips.
    Transaction,
}

impl Pooler {
    /// Returns `true` if statements may stay prepared for longer than a transaction.
    pub(super) fn keeps_statements(self) -> bool {
        self != Self::Transaction
    }

    /// The settings that a new session is sent, if they are not sent otherwise.
    pub(super) fn session_settings(self, lock_timeout: Duration) -> Option<SqlStr> {
        (self == Self::Session).then(|| sql(settings("set", lock_timeout)))
    }

    /// The begin of the transaction around each statement, if each statement must have one.
    pub(super) fn begin(self, lock_timeout: Duration) -> Option<SqlStr> {
        (self == Self::Transaction)
            .then(|| sql(format!("begin; {}", settings("set local", lock_timeout))))
    }
}

fn settings(set: &str, lock_timeout: Duration) -> String {
    let lock_timeout = milliseconds(lock_timeout);
    let settings = SETTINGS
        .into_iter()
        .chain([("lock_timeout", lock_timeout.as_str())]);
    let settings = settings.map(|(name, value)| format!("{set} {name} = {value}"));
    settings.collect::<Vec<_>>().join("; ")
}

/// Returns a timeout in the form that the server takes.
pub(super) fn milliseconds(timeout: Duration) -> String {
    timeout.as_millis().clamp(1, LONGEST).to_string()
}

/// Makes a statement of a string that contains only names and numbers of this crate.
fn sql(text: String) -> SqlStr {
    AssertSqlSafe(text).into_sql_str()
}
