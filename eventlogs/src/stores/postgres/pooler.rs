//! What may stand between a store and its server.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::time::Duration;

/// The longest time that PostgreSQL counts to, in milliseconds.
const LONGEST: u128 = i32::MAX as u128;

/// What a session must have.
pub(super) const SETTINGS: [(&str, &str); 6] = [
    // The planner's guess for a custom plan never loses, so it would plan at every execution; and a plan made while the
    // tables are small must not be one that reads them whole when they have grown.
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // Those count as costs beyond all measure, for which the server would compile each statement: 150 ms.
    ("jit", "off"),
    // Where anybody may create functions, the statements must not find theirs in place of those that are built in.
    ("search_path", "pg_catalog"),
];

/// What stands between a store and its server, such as PgBouncer.
///
/// A session of the server has settings and prepared statements, on both of which a store relies. What shares sessions among
/// its clients gets in the way of that, so a store must know of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pooler {
    /// Nothing, or something that passes on all that it is sent.
    ///
    /// The settings are sent as startup parameters. PgBouncer refuses them
    /// ([`StoreError::Pooler`](crate::stores::StoreError::Pooler)), unless its configuration says
    /// `ignore_startup_parameters = extra_float_digits,options`. In its mode `session` a store works then, but without the
    /// settings: [`lock_timeout`](crate::PostgresOptions::lock_timeout) does nothing, and plans are the server's choice.
    #[default]
    None,
    /// Something that gives each connection a session of its own for as long as it is open: PgBouncer with
    /// `pool_mode = session`.
    ///
    /// The settings are sent in a message of their own after connecting, and no startup parameters that PgBouncer would
    /// refuse. Not for `pool_mode = transaction`: the settings would stay behind in sessions of others.
    Session,
    /// Something that gives a session away after each transaction: PgBouncer with `pool_mode = transaction`, of any version
    /// and with any configuration.
    ///
    /// Each statement is a transaction of its own, whose begin brings the settings along, and nothing is prepared for longer.
    /// So an operation takes four round trips in place of one: begin, parse, execute, commit. Where writes come from many
    /// tasks, they are gathered as ever, and share these round trips.
    Transaction,
}

impl Pooler {
    /// Whether statements may be prepared for longer than a transaction.
    pub(super) fn keeps_statements(self) -> bool {
        self != Self::Transaction
    }

    /// What a new session is told.
    pub(super) fn session_settings(self, lock_timeout: Duration) -> Option<SqlStr> {
        (self == Self::Session).then(|| sql(settings("set", lock_timeout)))
    }

    /// What begins a transaction around each statement.
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

/// A timeout as the server takes it.
pub(super) fn milliseconds(timeout: Duration) -> String {
    timeout.as_millis().clamp(1, LONGEST).to_string()
}

/// Names and numbers of our own.
fn sql(text: String) -> SqlStr {
    AssertSqlSafe(text).into_sql_str()
}
