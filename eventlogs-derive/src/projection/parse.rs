//! First stage: the type and its attributes, each value on its own.

pub(crate) mod database;
pub(crate) mod events;
pub(crate) mod marks;
mod name;

use crate::attribute;
use crate::contents::FingerprintValue;
use crate::errors::Errors;
use crate::keys;
use crate::keys::table::{Keys, ProjectionKey};
use crate::library::Library;
use crate::suggest;
use database::DatabaseValue;
use events::ParsedEvents;
use marks::Marked;
use syn::{Data, DeriveInput, LitStr, Path};

/// A type as it was written.
pub(crate) struct ParsedProjection<'a> {
    /// The type itself.
    pub(crate) input: &'a DeriveInput,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// `name = …`
    pub(crate) name: Option<LitStr>,
    /// `events(…)`
    pub(crate) events: Vec<ParsedEvents>,
    /// `database = …`
    pub(crate) database: Option<DatabaseValue>,
    /// `create = …`
    pub(crate) create: Option<LitStr>,
    /// `table = …`
    pub(crate) table: Option<LitStr>,
    /// Whether it is a row, if it is certain.
    pub(crate) is_row: Option<bool>,
    /// `keep = …`
    pub(crate) keep: Option<Path>,
    /// The fields with `#[key]`.
    pub(crate) keys: Vec<Marked<'a>>,
    /// The fields with `#[through]`.
    pub(crate) throughs: Vec<Marked<'a>>,
    /// `fingerprint = …`
    pub(crate) fingerprint: Option<FingerprintValue>,
    /// The keys that nobody attempted to write.
    pub(crate) missing: Vec<ProjectionKey>,
}

/// Reads the item and the attributes of the macro on it.
pub(crate) fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> ParsedProjection<'a> {
    let mut parsed = ParsedProjection {
        input,
        library: Library::default(),
        name: None,
        events: Vec::new(),
        database: None,
        create: None,
        table: None,
        is_row: Some(false),
        keep: None,
        keys: marks::find(input, "key", errors),
        throughs: marks::find(input, "through", errors),
        fingerprint: None,
        missing: Vec::new(),
    };
    if let Data::Union(data) = &input.data {
        errors.on(
            &data.union_token,
            "a projection must be a struct or an enum; turn this union into one of them",
        );
    }
    attribute::refuse_on_parts(input, "projection", errors);
    let entries = attribute::read(&input.attrs, "projection", errors);
    if !entries.is_empty() || errors.is_empty() {
        let is_missing = |key: &ProjectionKey| {
            let mut entries = entries.iter();
            !entries.any(|entry| means(&entry.key.name, *key))
        };
        parsed.missing = ProjectionKey::ALL
            .iter()
            .copied()
            .filter(is_missing)
            .collect();
    }
    let table = ProjectionKey::Table.facts().name;
    let mut names = entries.iter().map(|entry| &*entry.key.name);
    if names.clone().any(|name| name == table) {
        parsed.is_row = Some(true);
    } else if names.any(|name| suggest::closest(name, [table]).is_some()) {
        parsed.is_row = None;
    }
    let owner = format!("`{}`", input.ident);
    for (key, given) in keys::check(entries, &owner, errors) {
        match key {
            ProjectionKey::Name => parsed.name = errors.keep(name::read(&given)),
            ProjectionKey::Events => parsed.events = events::read(&given, errors),
            ProjectionKey::Database => parsed.database = errors.keep(database::read(&given)),
            ProjectionKey::Create => parsed.create = errors.keep(given.string().cloned()),
            ProjectionKey::Table => parsed.table = errors.keep(name::read(&given)),
            ProjectionKey::Keep => parsed.keep = errors.keep(given.path().cloned()),
            ProjectionKey::Fingerprint => parsed.fingerprint = errors.keep(given.fingerprint()),
            ProjectionKey::Crate => parsed.library = given.library(errors),
        }
    }
    parsed
}

/// Returns `true` if a name is the key, or was probably meant as it.
fn means(name: &str, key: ProjectionKey) -> bool {
    suggest::closest(name, [key.facts().name]).is_some()
        || keys::meant::<ProjectionKey>(name) == Some(key.facts().name)
        || (key == ProjectionKey::Name && name.starts_with('"'))
        || (key == ProjectionKey::Events && keys::is_type_name(name))
}
