//! Making the text of a statement from its file.

use crate::stores::error::open::OpenError;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr};

/// A statement with its parameters.
pub(in crate::stores) type Statement<'a> = Query<'a, Postgres, PgArguments>;

/// The only placeholder in the files: the name of the schema, in quotes.
const SCHEMA: &str = "{schema}";

/// Refuses a schema whose name is not a plain identifier, or belongs to the server.
pub(in crate::stores) fn check_schema_name(schema: &str) -> Result<(), OpenError> {
    let is_first = |char: char| char.is_ascii_lowercase() || char == '_';
    let is_plain = schema.len() <= 63
        && schema.starts_with(is_first)
        && schema
            .chars()
            .all(|char| is_first(char) || char.is_ascii_digit());
    let is_servers = schema.starts_with("pg_") || schema == "information_schema";
    if is_plain && !is_servers {
        Ok(())
    } else {
        Err(OpenError::InvalidSchema {
            schema: schema.to_owned(),
            advice: "use 1 to 63 of `a-z 0-9 _`, starting neither with a digit nor with `pg_`, and not `information_schema`",
        })
    }
}

/// Makes the statement of a file for a schema, whose name has been [checked](check_schema_name). The name is put in quotes,
/// because it may be a keyword of SQL.
///
/// The comment at the start of a file is for readers, and is left out: the server would read it with each preparation.
pub(in crate::stores) fn in_schema(file: &str, schema: &str) -> SqlStr {
    let statement = without_header(file).replace(SCHEMA, &format!("\"{schema}\""));
    AssertSqlSafe(statement).into_sql_str()
}

/// Returns a file without the comment at its start.
pub(super) fn without_header(file: &str) -> &str {
    let mut rest = file;
    while let Some((line, next)) = rest.split_once('\n')
        && (line.is_empty() || line.starts_with("--"))
    {
        rest = next;
    }
    rest.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_left_out() {
        let file = "-- One row.\n--\n-- $1 bigint\n\nselect $1 -- here\nfrom {schema}.events\n";
        let statement = in_schema(file, "payments");
        assert_eq!(
            statement.as_str(),
            "select $1 -- here\nfrom \"payments\".events"
        );
    }

    #[test]
    fn only_plain_names_are_schemas() {
        for schema in ["eventlogs", "_1", "order"] {
            assert!(check_schema_name(schema).is_ok(), "{schema}");
        }
        for schema in ["", "1a", "Upper", "a\"b", "pg_logs", "information_schema"] {
            assert!(check_schema_name(schema).is_err(), "{schema}");
        }
    }
}
