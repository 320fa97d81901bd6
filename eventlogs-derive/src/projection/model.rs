//! Second stage: the validated content of the attributes.

pub(crate) mod row;

use crate::contents::{self, FingerprintModel};
use crate::errors::Errors;
use crate::keys::table::ProjectionKey;
use crate::library::Library;
use crate::projection::parse::ParsedProjection;
use crate::projection::parse::database::{Database, DatabaseValue};
use proc_macro2::Ident;
use row::RowModel;
use syn::{Generics, LitStr, Type};

/// The ending of a file with statements.
const FILE_ENDING: &str = ".sql";

/// A projection.
pub(crate) struct ProjectionModel<'a> {
    /// The name of its type.
    pub(crate) ident: &'a Ident,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// The name of its progress and of its tables.
    pub(crate) name: LitStr,
    /// The events that it wants.
    pub(crate) events: Vec<Type>,
    /// What makes it a row.
    pub(crate) row: Option<RowModel<'a>>,
    /// Where its handlers write.
    pub(crate) database: DatabaseValue,
    /// The statements that create its tables.
    pub(crate) create: Option<CreateModel>,
    /// The part of its fingerprint that is known during expansion.
    pub(crate) fingerprint: FingerprintModel,
}

/// The statements that create the tables of a projection.
pub(crate) enum CreateModel {
    /// They are in a file with this path.
    File(LitStr),
    /// They are written in the attribute.
    Statements(LitStr),
}

/// Checks the attributes against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(
    parsed: ParsedProjection<'a>,
    errors: &mut Errors,
) -> Option<ProjectionModel<'a>> {
    for key in &parsed.missing {
        if let Some(message) = missing(*key) {
            errors.on(&parsed.input.ident, message);
        }
    }
    let row = row::validate(&parsed, errors);
    let create = parsed
        .create
        .map(|create| create_model(create, parsed.database, errors));
    let (name, database) = (parsed.name?, parsed.database?);
    let mut further = vec![name.value(), database.database.name().to_owned()];
    further.extend(row.iter().flat_map(RowModel::code));
    let further: Vec<&str> = further.iter().map(String::as_str).collect();
    let fingerprint = contents::fingerprint(parsed.input, parsed.fingerprint.as_ref(), &further);
    Some(ProjectionModel {
        ident: &parsed.input.ident,
        generics: &parsed.input.generics,
        library: parsed.library,
        name,
        events: parsed.events.into_iter().map(|found| found.event).collect(),
        row,
        database,
        create,
        fingerprint,
    })
}

/// The message for a key that is missing, if it is required.
fn missing(key: ProjectionKey) -> Option<&'static str> {
    match key {
        ProjectionKey::Name => {
            Some("the name is missing; write `#[projection(name = \"…\")]`, and never change it")
        }
        ProjectionKey::Events => {
            Some("the events are missing; write `#[projection(events(YourEvent))]`")
        }
        ProjectionKey::Database => Some(
            "the database is missing; write where the handlers of this projection write:\n\
             `database = postgres` or `sqlite`: in the transaction that moves the checkpoint; each event takes effect exactly once\n\
             `database = elsewhere`: anywhere else; each event takes effect at least once",
        ),
        ProjectionKey::Create
        | ProjectionKey::Table
        | ProjectionKey::Keep
        | ProjectionKey::Fingerprint
        | ProjectionKey::Crate => None,
    }
}

/// Finds out whether the statements are in a file, and whether there is a database to run them.
fn create_model(
    create: LitStr,
    database: Option<DatabaseValue>,
    errors: &mut Errors,
) -> CreateModel {
    let text = create.value();
    if database.is_some_and(|value| value.database == Database::Elsewhere) {
        errors.on(
            &create,
            "`create` needs `database = postgres` or `sqlite`; create what is elsewhere yourself, and remove `create`",
        );
    } else if text.trim().is_empty() {
        errors.on(
            &create,
            "`create` is empty; write statements, or the path of a file that ends in `.sql`",
        );
    }
    if text.ends_with(FILE_ENDING) {
        CreateModel::File(create)
    } else {
        CreateModel::Statements(create)
    }
}
