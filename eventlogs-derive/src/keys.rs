//! Finding the entries of an attribute whose keys belong on their level.

mod advice;
pub(crate) mod table;

use crate::attribute::{Entry, Key, Value};
use crate::errors::Errors;
use std::collections::HashMap;
use table::{KeyFacts, Keys};

/// An entry with a key of the level, whose value is not read yet.
pub(crate) struct Given {
    /// The facts about the key, for messages.
    pub(crate) facts: &'static KeyFacts,
    /// The key as written.
    pub(crate) key: Key,
    /// Its value.
    pub(crate) value: Value,
}

/// The key of the level that was probably meant with this name.
pub(crate) fn meant<K: Keys>(name: &str) -> Option<&'static str> {
    advice::meant::<K>(name)
}

/// Returns `true` if a key is probably the name of a type, whose key is missing.
pub(crate) fn is_type_name(name: &str) -> bool {
    advice::is_type_name(name)
}

/// Keeps the entries whose keys belong to the level and are given once; records the others as mistakes.
///
/// `owner` is the item that has the keys of the level above, in the user's words: ``enum PaymentEvent`` for a variant, the
/// variant's name for a field.
pub(crate) fn check<K: Keys>(
    entries: Vec<Entry>,
    owner: &str,
    errors: &mut Errors,
) -> Vec<(K, Given)> {
    let mut first: HashMap<String, Key> = HashMap::new();
    let mut found = Vec::new();
    for Entry { key, value } in entries {
        let Some(named) = K::named(&key.name) else {
            errors.at(key.span, advice::stranger::<K>(&key.name, owner));
            continue;
        };
        let facts = named.facts();
        if let Some(first) = first.get(&key.name).filter(|_| !facts.repeatable) {
            errors.at(key.span, format!("`{}` is given twice", key.name));
            errors.at(first.span, "first given here");
            continue;
        }
        first.insert(key.name.clone(), key.clone());
        found.push((named, Given { facts, key, value }));
    }
    found
}

#[cfg(test)]
mod tests;
