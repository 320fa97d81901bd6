//! The name of a projection, which is also that of a database schema.

use crate::keys::Given;
use syn::{Error, LitStr, Result};

/// The greatest number of bytes of a name in PostgreSQL.
const LONGEST: usize = 63;

/// Reads a name.
pub(super) fn read(given: &Given) -> Result<LitStr> {
    let literal = given.string()?;
    match problem(&literal.value()) {
        Some(message) => Err(Error::new(literal.span(), message)),
        None => Ok(literal.clone()),
    }
}

/// The mistake in a name, if there is one.
fn problem(name: &str) -> Option<String> {
    let is_allowed = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    if name.is_empty() {
        return Some("the name is empty; write one, as in `name = \"ledger\"`".to_owned());
    }
    if !name.chars().all(is_allowed) || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(format!(
            "`{name}` cannot name a projection; use the characters `a-z 0-9 _`, and begin with a letter or `_`"
        ));
    }
    if name.len() > LONGEST {
        return Some(format!(
            "the name has {} characters; use at most {LONGEST}",
            name.len()
        ));
    }
    name.starts_with("pg_").then(|| {
        format!("`{name}` cannot name a projection, as PostgreSQL reserves `pg_`; begin with something else")
    })
}

#[cfg(test)]
mod tests {
    use super::problem;

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
