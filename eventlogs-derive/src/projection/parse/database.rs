//! Where the handlers of a projection write.

use crate::keys::Given;
use crate::suggest;
use proc_macro2::Span;
use syn::{Error, Result};

/// A place to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// The PostgreSQL database of the store.
    Postgres,
    /// The SQLite file of the store.
    Sqlite,
    /// Anything else.
    Elsewhere,
}

/// A place to write to, and where it was written in the attribute.
#[derive(Clone, Copy)]
pub(crate) struct DatabaseValue {
    /// The place to write to.
    pub(crate) database: Database,
    /// The span of its name.
    pub(crate) span: Span,
}

impl Database {
    /// All of them.
    const ALL: [Self; 3] = [Self::Postgres, Self::Sqlite, Self::Elsewhere];

    /// Its name in the attribute.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// The name of its type in the library.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::Postgres => "Postgres",
            Self::Sqlite => "Sqlite",
            Self::Elsewhere => "Elsewhere",
        }
    }
}

/// Reads the name of a database.
pub(super) fn read(given: &Given) -> Result<DatabaseValue> {
    let written = given.path()?;
    let Some(name) = written.get_ident() else {
        return Err(given.wrong_kind());
    };
    let mut all = Database::ALL.into_iter();
    if let Some(database) = all.find(|database| name == database.name()) {
        let span = name.span();
        return Ok(DatabaseValue { database, span });
    }
    let names = Database::ALL.map(Database::name);
    let message = match suggest::closest(&name.to_string(), names) {
        Some(closest) => format!("unknown database `{name}`; did you mean `{closest}`?"),
        None => format!(
            "unknown database `{name}`; write `postgres`, `sqlite`, or `elsewhere` for anything else"
        ),
    };
    Err(Error::new(name.span(), message))
}
