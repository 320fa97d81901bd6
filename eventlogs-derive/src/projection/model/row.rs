//! What makes a projection a row of a table.

use crate::errors::Errors;
use crate::projection::parse::ParsedProjection;
use crate::projection::parse::database::Database;
use crate::projection::parse::marks::Marked;
use crate::serde_attributes::SerdeAttributes;
use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Data, Field, Fields, LitStr, Path, Type};

/// A row of a table.
pub(crate) struct RowModel<'a> {
    /// The name of the table.
    pub(crate) table: LitStr,
    /// The field with the key.
    pub(crate) key: FieldModel<'a>,
    /// The field with the index of the last event.
    pub(crate) through: Option<FieldModel<'a>>,
    /// The function that decides whether the row stays.
    pub(crate) keep: Option<Path>,
    /// The function that returns the keys, for each enum of the projection that has one.
    pub(crate) by: Vec<Option<Path>>,
}

/// A marked field.
pub(crate) struct FieldModel<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its type.
    pub(crate) ty: &'a Type,
    /// The name that serde writes.
    pub(crate) column: String,
}

impl RowModel<'_> {
    /// The parts of the row's code that are only in the attribute.
    pub(crate) fn code(&self) -> Vec<String> {
        let paths = self.keep.iter().chain(self.by.iter().flatten());
        let paths = paths.map(|path| path.to_token_stream().to_string());
        std::iter::once(self.table.value()).chain(paths).collect()
    }
}

/// Checks what is said of a row. Returns `None` if the projection is none, or has a mistake that was recorded.
pub(super) fn validate<'a>(
    parsed: &ParsedProjection<'a>,
    errors: &mut Errors,
) -> Option<RowModel<'a>> {
    if !parsed.is_row? {
        refuse_without_table(parsed, errors);
        return None;
    }
    check_type(parsed, errors);
    let table = parsed.table.as_ref()?;
    let is_elsewhere = |database| database == Database::Elsewhere;
    if parsed
        .database
        .is_some_and(|value| is_elsewhere(value.database))
    {
        errors.on(
            table,
            "`table` needs `database = postgres` or `sqlite`; to write rows elsewhere, remove `table` and write `async` handlers",
        );
    }
    let by: Vec<_> = parsed.events.iter().map(|found| found.by.clone()).collect();
    check_twice(&parsed.keys, "key", errors);
    check_twice(&parsed.throughs, "through", errors);
    if let (Some(through), Some(by)) = (parsed.throughs.first(), by.iter().flatten().next()) {
        errors.on(
            through.attribute,
            "`#[through]` is the index in one log, and with `by` a row has events of several logs; remove `#[through]`",
        );
        errors.on(by, "the key comes from here");
    }
    let Some(key) = parsed.keys.first() else {
        errors.on(
            &parsed.input.ident,
            "the key is missing; mark the field with the id of the log, as in `#[key] id: LogId`",
        );
        return None;
    };
    let through = parsed.throughs.first();
    if let Some(through) = through.filter(|through| std::ptr::eq(through.field, key.field)) {
        errors.on(
            through.attribute,
            "the key cannot be `#[through]`, too; add a field `through: Option<u64>`",
        );
    }
    Some(RowModel {
        table: table.clone(),
        key: field(parsed, key)?,
        through: through.and_then(|through| field(parsed, through)),
        keep: parsed.keep.clone(),
        by,
    })
}

/// Records what only a row can have.
fn refuse_without_table(parsed: &ParsedProjection<'_>, errors: &mut Errors) {
    for (marks, name, meaning) in [
        (&parsed.keys, "key", "the key"),
        (&parsed.throughs, "through", "the last event"),
    ] {
        if let Some(Marked { attribute, .. }) = marks.first() {
            errors.on(
                attribute,
                format!("`#[{name}]` marks {meaning} of a row; write `table = \"…\"` in `#[projection(…)]`, or remove the mark"),
            );
        }
    }
    if let Some(keep) = &parsed.keep {
        errors.on(
            keep,
            "`keep` decides which rows stay in a table; write `table = \"…\"`, or remove `keep`",
        );
    }
    if let Some(by) = parsed.events.iter().find_map(|found| found.by.as_ref()) {
        errors.on(
            by,
            "`by` returns the keys of rows; write `table = \"…\"`, or remove `by`",
        );
    }
}

/// Records a type that cannot be a row, and fields that serde does not always write and read.
fn check_type(parsed: &ParsedProjection<'_>, errors: &mut Errors) {
    let input = parsed.input;
    match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => {
            for field in &data.fields {
                check_field(field, errors);
            }
        }
        Data::Struct(_) | Data::Enum(_) => errors.on(
            &input.ident,
            "a row must be a struct with named fields; their names are those of the columns",
        ),
        // It cannot be a projection either, which was recorded.
        Data::Union(_) => {}
    }
    if !input.generics.params.is_empty() {
        errors.on(
            &input.generics,
            "a row cannot have parameters; write a struct for each table",
        );
    }
}

/// Records an attribute with which serde does not always write and read a field.
fn check_field(field: &Field, errors: &mut Errors) {
    let serde = SerdeAttributes::new(&field.attrs);
    for name in [
        "skip",
        "skip_serializing",
        "skip_deserializing",
        "skip_serializing_if",
    ] {
        if let Some(entry) = serde.called(name).next() {
            errors.on(
                entry,
                format!("a row has the same columns always, and what is not written is lost before the next event; remove `{name}`"),
            );
        }
    }
}

/// Records a mark on a second field.
fn check_twice(marks: &[Marked<'_>], name: &str, errors: &mut Errors) {
    if let [first, second, ..] = marks {
        errors.on(
            second.attribute,
            format!("`#[{name}]` is given twice; mark one field"),
        );
        errors.on(first.attribute, "first given here");
    }
}

/// The marked field; `None` if it has no name.
fn field<'a>(parsed: &ParsedProjection<'a>, marked: &Marked<'a>) -> Option<FieldModel<'a>> {
    let ident = marked.field.ident.as_ref()?;
    let own = SerdeAttributes::new(&marked.field.attrs);
    let of_all = SerdeAttributes::new(&parsed.input.attrs);
    let name = ident.unraw().to_string();
    let column = own
        .written_as("rename")
        .or_else(|| {
            of_all
                .written_as("rename_all")
                .map(|rule| apply(&rule, &name))
        })
        .unwrap_or(name);
    Some(FieldModel {
        ident,
        ty: &marked.field.ty,
        column,
    })
}

/// Renames a field by a rule of serde.
fn apply(rule: &str, name: &str) -> String {
    let pascal = || -> String { name.split('_').map(capitalised).collect() };
    match rule {
        "PascalCase" => pascal(),
        "camelCase" => {
            let pascal = pascal();
            let mut letters = pascal.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_ascii_lowercase().to_string() + letters.as_str()
            })
        }
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        // serde refuses other rules.
        _ => name.to_owned(),
    }
}

/// The word with a capital.
fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn fields_are_renamed_as_serde_does() {
        for (rule, expected) in [
            ("lowercase", "log_id"),
            ("UPPERCASE", "LOG_ID"),
            ("PascalCase", "LogId"),
            ("camelCase", "logId"),
            ("snake_case", "log_id"),
            ("SCREAMING_SNAKE_CASE", "LOG_ID"),
            ("kebab-case", "log-id"),
            ("SCREAMING-KEBAB-CASE", "LOG-ID"),
        ] {
            assert_eq!(apply(rule, "log_id"), expected, "{rule}");
        }
    }
}
