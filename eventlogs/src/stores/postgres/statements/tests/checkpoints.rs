//! Executes the statements of checkpoints, and the one about tables of rows, as the store binds them.

use crate::cursor::Cursor;
use crate::ids::{EventId, LogId};
use crate::projection::checkpoint::{PartitionKey, Registration, Step};
use crate::projection::known::KnownEvents;
use crate::projection::parked::{ParkedChange, ParkedEvent, ParkedWish};
use crate::projection::table::RowTable;
use crate::stores::postgres::statements::parked::ParkedStatements;
use crate::stores::postgres::statements::text::Statement;
use crate::stores::postgres::statements::{Statements, row_keys, rows};
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

/// Parks a log, and lets it go on. Returns the numbers of parameters, by file name.
async fn execute_parked(
    connection: &mut PgConnection,
    statements: &ParkedStatements,
) -> BTreeMap<&'static str, usize> {
    let log_id = LogId::new();
    let event = ParkedEvent {
        index: 3,
        event_type: "captured",
        error: "why",
    };
    let change = |change: ParkedChange<'static>| statements.change("ledger", &change);
    let parked = ParkedChange::Park {
        log_id,
        event,
        attempts: 3,
    };
    let failed = ParkedChange::Fail {
        log_id,
        at: 3,
        event,
    };
    let skipped = ParkedChange::Skip {
        log_id,
        at: 3,
        by: "ann",
    };
    let freed = ParkedChange::Free { log_id, at: 4 };
    let wish = ParkedWish::Retry;
    let life = [
        (vec!["parked_park"], change(parked), 0),
        (
            vec!["parked_wish"],
            vec![statements.wish("ledger", log_id, &wish)],
            1,
        ),
        (vec!["parked_fail"], change(failed), 0),
        (vec!["parked_skip", "parked_advance"], change(skipped), 0),
        (vec!["parked_list"], vec![statements.list("ledger")], 1),
        (vec!["parked_free"], change(freed), 0),
        (vec!["parked_list"], vec![statements.list("ledger")], 0),
    ];
    let mut bound = BTreeMap::new();
    for (names, statements, expected) in life {
        for (name, statement) in names.into_iter().zip(statements) {
            let (parameters, rows) = execute(connection, name, statement).await;
            assert_eq!(rows, expected, "{name}");
            bound.insert(name, parameters);
        }
    }
    bound
}

/// Runs a subscription through its life. Returns the numbers of parameters, by file name.
#[expect(
    clippy::too_many_lines,
    reason = "the life of a subscription is one list"
)]
pub(super) async fn execute_all(
    connection: &mut PgConnection,
    statements: &Statements,
) -> BTreeMap<&'static str, usize> {
    let (parked, remembered) = (&statements.parked, &statements.row_keys);
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
        parked: None,
    };
    let further = Cursor::from_parts(1, 701, 4, None);
    let logs = [LogId::new(), LogId::new()];
    let keys = vec![(logs[0], "[\"ada\"]".to_owned())];
    // With the number of rows that each must return.
    let life = [
        ("checkpoint_register", statements.register(&registration), 1),
        (
            "checkpoint_partitions",
            statements.partitions("ledger", 2, from, 0),
            0,
        ),
        (
            "checkpoint_know",
            statements.know("ledger", &KnownEvents::default()),
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
        (
            "row_keys_write",
            row_keys::write(remembered, "ledger", keys),
            0,
        ),
        (
            "row_keys_read",
            row_keys::read(remembered, "ledger", &logs),
            1,
        ),
        ("checkpoint_clear", statements.clear("ledger"), 0),
    ];
    let mut bound = execute_parked(connection, parked).await;
    for (name, statement, expected) in life {
        let (parameters, rows) = execute(connection, name, statement).await;
        assert_eq!(rows, expected, "{name}");
        bound.insert(name, parameters);
    }
    let (parameters, columns) = execute(connection, "row_table", columns_of_no_table()).await;
    assert_eq!(columns, 0);
    bound.insert("row_table", parameters);
    bound
}

/// Asks for the columns of a table that does not exist.
fn columns_of_no_table() -> Statement<'static> {
    rows::columns(&RowTable {
        name: "no_such_table",
        row: "Row",
        key: "id",
        through: None,
        columns: Vec::new(),
        home: None,
    })
}
