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

/// Makes the macros with which `derive(Projection)` names a database, from one line per database. If the feature of the
/// database is off, its macro reports that, and names another one, so that the projection causes no further errors.
///
/// A line is `Type in feature "x", named x by __database_x;`. The `$` before the lines is for the generated macros: a macro
/// that defines macros cannot write it.
macro_rules! named_databases {
    ($d:tt $($database:ident in feature $feature:literal, named $name:ident by $exported:ident;)*) => {
        $(
            #[cfg(feature = $feature)]
            #[macro_export]
            #[doc(hidden)]
            macro_rules! $exported {
                ($d name:ident) => {
                    type $d name = $d crate::projection::$database;
                };
            }

            #[cfg(not(feature = $feature))]
            #[macro_export]
            #[doc(hidden)]
            macro_rules! $exported {
                ($d name:ident) => {
                    ::core::compile_error!(::core::concat!(
                        "database `", $feature, "` needs the `", $feature, "` feature of `eventlogs`"
                    ));
                    type $d name = $d crate::projection::Elsewhere;
                };
            }
        )*

        /// The macros with which `derive(Projection)` names a database: `named::postgres!(Name)` declares `Name`.
        pub(crate) mod named {
            $(pub use $exported as $name;)*
        }
    };
}

// One line per database with a feature, for the derive.
named_databases! { $
    Postgres in feature "postgres", named postgres by __database_postgres;
    Sqlite in feature "sqlite", named sqlite by __database_sqlite;
}
