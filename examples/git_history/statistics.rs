//! The busiest files, as a read model: a projection counts the changes of each file in a table, and the report reads it with SQL.

mod projection;

use crate::database::{Database, Store};
use crate::file_life::FileLife;
use crate::git::GitPath;
use crate::verify::Reduced;
use chrono::{DateTime, Utc};
use eventlogs::projection::CheckpointStore;
use eventlogs::sqlx::postgres::{PgConnectOptions, PgPool};
use eventlogs::sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use eventlogs::sqlx::{self, AssertSqlSafe, query_as, raw_sql};
use eventlogs::subscriptions::{RunningSubscriptions, Subscriptions, WaitError};
use projection::{InFile, OnServer, Statements};
use std::error::Error;
use std::fmt;
use std::num::TryFromIntError;
use std::time::Duration;

/// Reads the lives.
const LIVES: &str = "select path, born_at, events,
        (select count(*) from file_authors a where a.log_id = l.log_id) as authors, added, removed, is_alive
    from file_lives l";
/// The columns of a life, in their order.
type Columns = (Vec<u8>, Option<i64>, i64, i64, i64, i64, bool);

/// How long the projection may take.
const PATIENCE: Duration = Duration::from_hours(24);

/// One life, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// The last path, as bytes.
    path: Vec<u8>,
    /// The time at which it was added, in microseconds since 1970.
    born_at: Option<i64>,
    /// The number of its events.
    pub(crate) events: i64,
    /// The number of its authors.
    pub(crate) authors: i64,
    /// The lines added over the whole life.
    pub(crate) added: i64,
    /// The lines removed over the whole life.
    pub(crate) removed: i64,
    /// Whether the file still exists.
    pub(crate) is_alive: bool,
}

/// The order of a list of files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// Those with the most events first.
    Events,
    /// Those with the most authors first.
    Authors,
}

/// The tables, after the last event.
pub(crate) struct Statistics(Tables);

/// Connections that only read.
enum Tables {
    /// To a file.
    InFile(SqlitePool),
    /// To a schema on a server.
    OnServer(PgPool),
}

impl Statistics {
    /// Brings the tables up to date with the logs.
    pub(crate) async fn update(store: &Store, database: &Database) -> Result<Self, Box<dyn Error>> {
        let tables = Tables::open(database).await?;
        match store {
            Store::Sqlite(store) => {
                let statements = Statements::new("");
                let running = Subscriptions::new(store).projection(InFile { statements });
                follow(running.start().await?).await?;
            }
            Store::Postgres(store) => {
                let schema = match database {
                    Database::Server { schema, .. } => format!("{schema}."),
                    Database::File(_) => String::new(),
                };
                let statements = Statements::new(&schema);
                let running = Subscriptions::new(store).projection(OnServer { statements });
                follow(running.start().await?).await?;
            }
        }
        Ok(Self(tables))
    }

    /// Reads the first lives of an order. Equal ones are in the order of their paths, so that every run prints the same.
    pub(crate) async fn first(&self, order: Order, limit: usize) -> sqlx::Result<Vec<Row>> {
        let column = match order {
            Order::Events => "events",
            Order::Authors => "authors",
        };
        let order = format!("order by {column} desc, path, born_at limit {limit}");
        self.0.rows(&order).await
    }

    /// Checks that the table has what the reduced logs have. Returns the number of its lives.
    pub(crate) async fn compare(&self, reduced: &Reduced) -> Result<usize, Box<dyn Error>> {
        let mut found = self.0.rows("").await?;
        let mut expected: Vec<Row> = reduced
            .lives
            .iter()
            .map(Row::of)
            .collect::<Result<_, _>>()?;
        found.sort();
        expected.sort();
        let pairs = found.iter().zip(&expected);
        let (in_table, in_logs) = (found.len(), expected.len());
        match pairs
            .into_iter()
            .find(|(found, expected)| found != expected)
        {
            None if in_table == in_logs => Ok(in_table),
            None => Err(wrong(&format!(
                "it has {in_table} files, and the logs have {in_logs}"
            ))),
            Some((found, expected)) => Err(wrong(&format!(
                "it has {found}, and the logs have {expected}"
            ))),
        }
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        match &self.0 {
            Tables::InFile(pool) => pool.close().await,
            Tables::OnServer(pool) => pool.close().await,
        }
    }
}

impl Tables {
    /// Opens the database. On a server, it also creates the tables.
    async fn open(database: &Database) -> sqlx::Result<Self> {
        Ok(match database {
            Database::File(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                Self::InFile(SqlitePool::connect_lazy_with(options))
            }
            Database::Server { url, schema } => {
                let options: PgConnectOptions = url.parse()?;
                let options = options.options([
                    ("search_path", schema.as_str()),
                    // Without notices about tables that exist.
                    ("client_min_messages", "warning"),
                ]);
                let pool = PgPool::connect_with(options).await?;
                raw_sql(include_str!("statistics/statistics.sql"))
                    .execute(&pool)
                    .await?;
                Self::OnServer(pool)
            }
        })
    }

    /// Reads lives.
    async fn rows(&self, order: &str) -> sqlx::Result<Vec<Row>> {
        let statement = AssertSqlSafe(format!("{LIVES} {order}"));
        let rows: Vec<Columns> = match self {
            Self::InFile(pool) => query_as(statement).fetch_all(pool).await?,
            Self::OnServer(pool) => query_as(statement).fetch_all(pool).await?,
        };
        Ok(rows.into_iter().map(Row::from).collect())
    }
}

impl Row {
    /// Makes the row that the table must have.
    fn of((life, events): &(FileLife, u64)) -> Result<Self, TryFromIntError> {
        Ok(Self {
            path: life.path.as_bytes().to_vec(),
            born_at: life.born_at.map(|time| time.timestamp_micros()),
            events: i64::try_from(*events)?,
            authors: i64::try_from(life.authors.len())?,
            added: i64::try_from(life.lines.added)?,
            removed: i64::try_from(life.lines.removed)?,
            is_alive: life.content.is_some(),
        })
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> GitPath {
        GitPath::new(self.path.clone())
    }

    /// Returns the time at which the file was added.
    pub(crate) fn born_at(&self) -> Option<DateTime<Utc>> {
        self.born_at.and_then(DateTime::from_timestamp_micros)
    }
}

impl From<Columns> for Row {
    fn from(columns: Columns) -> Self {
        let (path, born_at, events, authors, added, removed, is_alive) = columns;
        Self {
            path,
            born_at,
            events,
            authors,
            added,
            removed,
            is_alive,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            events,
            authors,
            added,
            removed,
            is_alive,
            ..
        } = self;
        let path = self.path();
        let state = if *is_alive { "alive" } else { "deleted" };
        write!(
            formatter,
            "{path} ({state}) with {events} events, {authors} authors, {added} lines added and {removed} removed"
        )
    }
}

/// Runs a projection until it has all events of the store.
async fn follow<S: CheckpointStore>(running: RunningSubscriptions<S>) -> Result<(), WaitError> {
    // A long history takes minutes. A projection that has stopped ends the wait earlier.
    running.wait_until_caught_up(PATIENCE).await?;
    running.shutdown().await;
    Ok(())
}

/// Makes the error that the table is wrong.
fn wrong(difference: &str) -> Box<dyn Error> {
    format!(
        "the table of the projection is not what the logs say: {difference}; import into a new database with \
         --database FILE, and if it is wrong again, report it as a bug"
    )
    .into()
}
