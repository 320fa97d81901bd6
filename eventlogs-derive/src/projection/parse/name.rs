//! The name of a projection, which is also that of a database schema, and the name of a table.

use crate::keys::Given;
use syn::{Error, LitStr, Result};

/// The greatest number of bytes of a name in PostgreSQL.
const LONGEST: usize = 63;

/// Reads the name of a projection or of a table. The key says which.
pub(super) fn read(given: &Given) -> Result<LitStr> {
    let literal = given.string()?;
    let named = if given.facts.name == "table" {
        "table"
    } else {
        "projection"
    };
    match problem(&literal.value(), named, given.facts.example) {
        Some(message) => Err(Error::new(literal.span(), message)),
        None => Ok(literal.clone()),
    }
}

/// The mistake in a name, if there is one.
fn problem(name: &str, named: &str, example: &str) -> Option<String> {
    let is_allowed = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    if name.is_empty() {
        return Some(format!("the name is empty; write one, as in `{example}`"));
    }
    if !name.chars().all(is_allowed) || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(format!(
            "`{name}` cannot name a {named}; use the characters `a-z 0-9 _`, and begin with a letter or `_`"
        ));
    }
    if name.len() > LONGEST {
        return Some(format!(
            "the name has {} characters; use at most {LONGEST}",
            name.len()
        ));
    }
    name.starts_with("pg_").then(|| {
        format!("`{name}` cannot name a {named}, as PostgreSQL reserves `pg_`; begin with something else")
    })
}

#[cfg(test)]
mod tests {
    fn problem(name: &str) -> Option<String> {
        super::problem(name, "projection", "name = …")
    }

    #[test]
    fn a_name_can_also_name_a_schema() {
        let longest = "a".repeat(63);
        for name in ["ledger", "_", "l2_x", "pgx", &longest] {
            assert_eq!(problem(name), None, "{name}");
        }
        let longer = "a".repeat(64);
        for name in [
            "", "2l", "Ledger", "led-ger", "lédger", "a b", "pg_x", &longer,
        ] {
            assert!(problem(name).is_some(), "{name}");
        }
    }
}
