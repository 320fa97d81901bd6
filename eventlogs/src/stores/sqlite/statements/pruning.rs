//! The statements that forget keys: each file, and the function that binds its parameters in the order of their numbers.

use crate::stores::sqlite::statements::text::{Statement, statement};

/// Finds the last key of a stretch.
pub(super) const END_OF_STRETCH: &str = statement(include_str!("end_of_stretch.sql"));
/// Checks whether a stretch has old keys.
pub(super) const HAS_OLD_KEYS: &str = statement(include_str!("has_old_keys.sql"));
/// Forgets the old keys of a stretch.
pub(super) const PRUNE: &str = statement(include_str!("prune.sql"));

/// A place in the order of the keys.
#[derive(Debug, Clone)]
pub(in crate::stores) struct Bound {
    /// The scope.
    pub(in crate::stores) scope: Vec<u8>,
    /// The key.
    pub(in crate::stores) key: Vec<u8>,
}

impl Bound {
    /// The place before all keys.
    pub(in crate::stores) const fn first() -> Self {
        Self {
            scope: Vec::new(),
            key: Vec::new(),
        }
    }

    /// The place after all keys: no scope has more than 16 bytes.
    pub(in crate::stores) fn last() -> Self {
        Self {
            scope: vec![0xff; 17],
            key: Vec::new(),
        }
    }
}

/// Binds the parameters of [`END_OF_STRETCH`].
pub(in crate::stores) fn end_of_stretch(from: &Bound, writes: i64) -> Statement<'_> {
    sqlx::query(END_OF_STRETCH)
        .bind(&from.scope[..]) // ?1
        .bind(&from.key[..])
        .bind(writes)
}

/// Binds the parameters of [`HAS_OLD_KEYS`].
pub(in crate::stores) fn has_old_keys<'a>(
    from: &'a Bound,
    to: &'a Bound,
    before: i64,
) -> Statement<'a> {
    in_stretch(HAS_OLD_KEYS, from, to, before)
}

/// Binds the parameters of [`PRUNE`].
pub(in crate::stores) fn prune<'a>(from: &'a Bound, to: &'a Bound, before: i64) -> Statement<'a> {
    in_stretch(PRUNE, from, to, before)
}

fn in_stretch<'a>(
    statement: &'static str,
    from: &'a Bound,
    to: &'a Bound,
    before: i64,
) -> Statement<'a> {
    sqlx::query(statement)
        .bind(&from.scope[..]) // ?1
        .bind(&from.key[..])
        .bind(&to.scope[..])
        .bind(&to.key[..])
        .bind(before)
}
