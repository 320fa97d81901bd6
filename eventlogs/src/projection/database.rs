//! Where the handlers of a projection write.

/// The place where the handlers of a projection write: one of [`Postgres`], [`Sqlite`] and [`Elsewhere`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database that handlers can write to in this build",
    note = "enable the feature of the database: `postgres` for `database = postgres`, `sqlite` for `database = sqlite`"
)]
pub trait Database: Send + Sync + 'static {
    /// The type of `#[context]`: what the handlers write with.
    type Connection: Send;
}

/// `database = postgres`: the handlers write to the PostgreSQL database of the store, in the transaction that moves the
/// checkpoint. Each event takes effect exactly once.
#[derive(Debug, Clone, Copy)]
pub struct Postgres;

#[cfg(feature = "postgres")]
impl Database for Postgres {
    type Connection = sqlx::PgConnection;
}

/// `database = sqlite`: the handlers write to the SQLite file of the store, in the transaction that moves the checkpoint. Each
/// event takes effect exactly once.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

#[cfg(feature = "sqlite")]
impl Database for Sqlite {
    type Connection = sqlx::SqliteConnection;
}

/// `database = elsewhere`: the handlers write to something else, such as a search index. The checkpoint moves after the
/// handlers have returned, so after a failure they get the last events again: at least once. The log and the index of an event
/// tell a repetition.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere;

impl Database for Elsewhere {
    type Connection = ();
}
