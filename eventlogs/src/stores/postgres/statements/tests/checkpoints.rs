//! Executes the statements of checkpoints as the store binds them.

use crate::cursor::Cursor;
use crate::ids::EventId;
use crate::projection::checkpoint::{PartitionKey, Registration, Step};
use crate::stores::postgres::statements::Statements;
use crate::stores::postgres::statements::text::Statement;
use sqlx::postgres::PgConnection;
use sqlx::{Arguments, Execute};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(15);
const KEY: PartitionKey<'_> = PartitionKey {
    name: "ledger",
    partition: 1,
    partitions: 2,
};

/// Executes a statement, and returns the number of its parameters and of its rows.
pub(super) async fn execute(
    connection: &mut PgConnection,
    name: &str,
    mut statement: Statement<'_>,
) -> (usize, usize) {
    let arguments = statement.take_arguments().unwrap().unwrap();
    let bound = arguments.len();
    let query = sqlx::query_with(statement.sql(), arguments);
    let rows = query.fetch_all(connection).await;
    let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
    (bound, rows.len())
}

/// Runs a subscription through its life. Returns the numbers of parameters, by file name.
pub(super) async fn execute_all(
    connection: &mut PgConnection,
    statements: &Statements,
) -> BTreeMap<&'static str, usize> {
    let statements = &statements.checkpoints;
    let registration = Registration {
        partitions: 2,
        ..Registration::new("ledger", u64::MAX)
    };
    let owner = Uuid::now_v7();
    let (from, to) = (
        Cursor::START,
        Cursor::from_parts(1, 700, 3, Some(EventId::new())),
    );
    let step = |from, to| Step {
        key: KEY,
        token: 1,
        from,
        to,
        handled: 2,
        lease: LEASE,
    };
    let further = Cursor::from_parts(1, 701, 4, None);
    // With the number of rows that each must return.
    let life = [
        ("checkpoint_register", statements.register(&registration), 1),
        (
            "checkpoint_partitions",
            statements.partitions("ledger", 2, from, 0),
            0,
        ),
        ("checkpoint_common", statements.common("ledger"), 2),
        ("checkpoint_take", statements.take(KEY, owner, LEASE), 1),
        ("checkpoint_renew", statements.renew(owner, LEASE), 0),
        ("checkpoint_settle", statements.settle(&step(from, to)), 0),
        (
            "checkpoint_settle_alone",
            statements.settle_alone(&step(to, further)),
            1,
        ),
        ("checkpoint_stop", statements.stop(KEY, 1, "why"), 0),
        ("checkpoint_unstop", statements.unstop("ledger"), 0),
        ("checkpoint_pause", statements.pause("ledger", true), 0),
        ("checkpoint_release", statements.release(owner), 0),
        ("checkpoint_states", statements.states(Some("ledger")), 2),
        (
            "checkpoint_repartition",
            statements.repartition("ledger", 3),
            0,
        ),
    ];
    let mut bound = BTreeMap::new();
    for (name, statement, expected) in life {
        let (parameters, rows) = execute(connection, name, statement).await;
        assert_eq!(rows, expected, "{name}");
        bound.insert(name, parameters);
    }
    bound
}
