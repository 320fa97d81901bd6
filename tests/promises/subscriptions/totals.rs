//! Read models that add up: an event that is applied twice, or not at all, changes them.

use crate::payments::PaymentEvent;
use eventlogs::ids::LogId;
use eventlogs::{EventRecord, FeedRecord, Projection, event_handler};
use sqlx::{AssertSqlSafe, PgConnection, Row, SqliteConnection};
use std::collections::BTreeMap;
use std::time::Duration;

/// The name of the subscription.
pub(crate) const TOTALS: &str = "totals";

/// The tables of the read model: `log_totals` and `all_totals`.
pub(crate) const TABLES: &str = "
    create table log_totals (log_id text primary key, total bigint not null, events bigint not null);
    create table all_totals (total bigint not null, events bigint not null);
    insert into all_totals (total, events) values (0, 0);";

/// What a read model says: the sum and the number of the events of each log, and of all logs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) logs: BTreeMap<LogId, (i64, i64)>,
    pub(crate) all: (i64, i64),
}

impl Totals {
    /// Adds one event, as the handlers do.
    pub(crate) fn add(&mut self, log_id: LogId, amount: u64) {
        let log = self.logs.entry(log_id).or_default();
        for sum in [log, &mut self.all] {
            sum.0 += i64::try_from(amount).unwrap();
            sum.1 += 1;
        }
    }
}

/// Makes the read model for one database.
macro_rules! totals {
    ($name:ident, $database:ident, $connection:ty, $add:ident, $read:ident) => {
        /// Adds up what was captured.
        #[derive(Debug, Clone, Projection)]
        #[projection(name = "totals", events(PaymentEvent), database = $database)]
        pub(crate) struct $name {
            /// What comes before the names of the tables.
            pub(crate) prefix: String,
            /// How long each event takes, at least.
            pub(crate) delay: Duration,
        }

        #[event_handler(PaymentEvent, ignore(_))]
        impl $name {
            #[on(Captured)]
            async fn capture(
                &self,
                amount: u64,
                #[record] record: &FeedRecord<PaymentEvent>,
                #[context] db: &mut $connection,
            ) -> sqlx::Result<()> {
                $add(&self.prefix, record.log_id(), amount, db).await?;
                if !self.delay.is_zero() {
                    tokio::time::sleep(self.delay).await;
                }
                Ok(())
            }
        }

        /// Adds one event.
        pub(crate) async fn $add(
            prefix: &str,
            log_id: LogId,
            amount: u64,
            db: &mut $connection,
        ) -> sqlx::Result<()> {
            let log = format!(
                "insert into {prefix}log_totals as t (log_id, total, events) values ($1, $2, 1)
                 on conflict (log_id) do update set total = t.total + excluded.total, events = t.events + 1"
            );
            sqlx::query(AssertSqlSafe(log))
                .bind(log_id.to_string())
                .bind(i64::try_from(amount).unwrap())
                .execute(&mut *db)
                .await?;
            let all = format!("update {prefix}all_totals set total = total + $1, events = events + 1");
            let all = sqlx::query(AssertSqlSafe(all)).bind(i64::try_from(amount).unwrap());
            assert_eq!(all.execute(&mut *db).await?.rows_affected(), 1);
            Ok(())
        }

        /// Reads what the read model says.
        pub(crate) async fn $read(prefix: &str, db: &mut $connection) -> sqlx::Result<Totals> {
            let logs = format!("select log_id, total, events from {prefix}log_totals");
            let logs = sqlx::query(AssertSqlSafe(logs)).fetch_all(&mut *db).await?;
            let all = format!("select total, events from {prefix}all_totals");
            let all = sqlx::query(AssertSqlSafe(all)).fetch_one(&mut *db).await?;
            let log = |row: &_| {
                let row: &<<$connection as sqlx::Connection>::Database as sqlx::Database>::Row = row;
                let log_id: &str = row.get(0);
                (log_id.parse().unwrap(), (row.get(1), row.get(2)))
            };
            Ok(Totals {
                logs: logs.iter().map(log).collect(),
                all: (all.get(0), all.get(1)),
            })
        }
    };
}

totals!(
    PostgresTotals,
    postgres,
    PgConnection,
    add_in_postgres,
    read_in_postgres
);
totals!(
    SqliteTotals,
    sqlite,
    SqliteConnection,
    add_in_sqlite,
    read_in_sqlite
);
