//! Whether a table can hold the rows of a projection.

use crate::projection::row_error::RowError;
use crate::projection::table::RowTable;

/// A column of a table.
#[derive(Debug)]
pub(in crate::stores) struct Column {
    /// Its name.
    pub(in crate::stores) name: String,
    /// Whether the database computes its values.
    pub(in crate::stores) is_generated: bool,
    /// Whether an insert must give it a value.
    pub(in crate::stores) is_required: bool,
}

/// Refuses a table without a column for each field of the row, or with a column that no field fills.
pub(in crate::stores) fn check(table: &RowTable, found: &[Column]) -> Result<(), RowError> {
    if found.is_empty() {
        let reason = "there is no such table; create it in `create`, which runs when the projection is started for the first time".to_owned();
        return Err(table.refused(reason));
    }
    for name in &table.columns {
        let column = found.iter().find(|column| column.name == *name);
        let reason = match column {
            Some(column) if column.is_generated => format!(
                "its column `{name}` is generated, and cannot be written; remove the field `{name}`"
            ),
            Some(_) => continue,
            None => {
                format!("it has no column `{name}`; add the column, or remove the field `{name}`")
            }
        };
        return Err(table.refused(reason));
    }
    let is_missing = |column: &&Column| column.is_required && !table.columns.contains(&column.name);
    if let Some(Column { name, .. }) = found.iter().find(is_missing) {
        return Err(table.refused(format!(
            "its column `{name}` must have a value, and there is no such field; add the field, or a default to the column"
        )));
    }
    Ok(())
}

/// Makes the error for a key that several rows may have.
pub(in crate::stores) fn not_unique(table: &RowTable) -> RowError {
    table.refused(format!(
        "its column `{}` is neither the primary key nor unique; declare it as the primary key",
        table.key
    ))
}

/// Puts a name in quotes.
pub(in crate::stores) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the columns in quotes, with commas.
pub(in crate::stores) fn list(table: &RowTable) -> String {
    let columns: Vec<_> = table.columns.iter().map(|name| quoted(name)).collect();
    columns.join(", ")
}

/// Returns what an insert does if there is a row with the key: it replaces the row, unless that one has later events.
///
/// The insert must call the table `stored`.
pub(in crate::stores) fn on_conflict(table: &RowTable) -> String {
    let others = table.columns.iter().filter(|name| *name != table.key);
    let set: Vec<_> = others
        .map(|name| quoted(name))
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let key = quoted(table.key);
    if set.is_empty() {
        return format!("on conflict ({key}) do nothing");
    }
    let set = set.join(", ");
    let is_older = table.through.map(quoted).map(|through| {
        format!(" where stored.{through} is null or stored.{through} < excluded.{through}")
    });
    format!(
        "on conflict ({key}) do update set {set}{}",
        is_older.unwrap_or_default()
    )
}
