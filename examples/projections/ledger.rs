//! The ledger: what the customers have to pay and what they have paid, as tables that can be searched.
//!
//! A handler names the type of its connection, so a projection is written for one database. This example shows both, in
//! two files with the same handlers; a service has one of them. Both use the statements of this file, because `$1` is the first
//! parameter in SQLite, too.

pub(crate) mod postgres;
pub(crate) mod sqlite;

/// Notes whose log it is. `account` is `orders` or `payments`.
const OPEN: &str =
    "insert into ledger_logs (log_id, account, customer, currency) values ($1, $2, $3, $4)";

/// Adds a line.
const POST: &str = "insert into ledger_lines (log_id, event_index, cents) values ($1, $2, $3)";

/// Adds a line that makes the sum of a log zero.
const REVERSE: &str = "insert into ledger_lines (log_id, event_index, cents)
    select $1, $2, -sum(cents) from ledger_lines where log_id = $1";

/// The sums of each customer.
pub(crate) const OF_CUSTOMER: &str =
    "select account || ' in ' || currency, cast(sum(cents) as bigint)
    from ledger_logs natural join ledger_lines where customer = $1
    group by account, currency order by account, currency";

/// The sums of all logs.
pub(crate) const TOTALS: &str = "select account || ' in ' || currency, cast(sum(cents) as bigint)
    from ledger_logs natural join ledger_lines
    group by account, currency order by account, currency";
