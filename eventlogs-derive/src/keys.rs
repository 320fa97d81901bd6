//! Every key of every macro: where it belongs, what it takes, and what to say when it stands somewhere else.

use crate::attribute::{Entry, Key, Value};
use crate::errors::Errors;
use crate::suggest;
use std::collections::HashMap;

/// A place where keys are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `#[event(…)]` on the enum.
    EventEnum,
    /// `#[event(…)]` on a variant.
    EventVariant,
    /// `#[event(…)]` on a field, which takes no keys.
    EventField,
    /// `#[aggregate(…)]`.
    Aggregate,
    /// `cache(…)` in `#[aggregate(…)]`.
    Cache,
    /// `#[event_handler(…)]`, behind the event type.
    HandlerBlock,
}

/// A key in one of its places.
pub(crate) struct KeyFacts {
    /// The key.
    pub(crate) name: &'static str,
    /// Where it belongs.
    place: Place,
    /// What it takes, for "takes …".
    pub(crate) takes: &'static str,
    /// How it is written right.
    pub(crate) example: &'static str,
    /// Whether it may be given more than once.
    repeatable: bool,
}

/// Shorthand for the table.
const fn key(
    place: Place,
    name: &'static str,
    takes: &'static str,
    example: &'static str,
) -> KeyFacts {
    KeyFacts {
        name,
        place,
        takes,
        example,
        repeatable: false,
    }
}

/// The table: a new key is a line here, and its handling in the macro that it belongs to.
static KEYS: &[KeyFacts] = &[
    key(
        Place::EventEnum,
        "codec",
        "`\"json\"`, `\"msgpack\"` or a type",
        "codec = \"json\"",
    ),
    key(
        Place::EventEnum,
        "explicit_names",
        "no value",
        "explicit_names",
    ),
    key(
        Place::EventEnum,
        "log_type",
        "a string",
        "log_type = \"payment\"",
    ),
    KeyFacts {
        repeatable: true,
        ..key(
            Place::EventEnum,
            "log_type_alias",
            "a string",
            "log_type_alias = \"charge\"",
        )
    },
    key(Place::EventEnum, "crate", "a path", "crate = ::eventlogs"),
    key(
        Place::EventVariant,
        "name",
        "a string",
        "name = \"payment.captured\"",
    ),
    KeyFacts {
        repeatable: true,
        ..key(
            Place::EventVariant,
            "alias",
            "a string",
            "alias = \"payment.credited\"",
        )
    },
    key(Place::EventVariant, "version", "an integer", "version = 2"),
    key(
        Place::EventVariant,
        "upcast",
        "a list of functions",
        "upcast(1 = from_v1)",
    ),
    key(Place::EventVariant, "flatten", "no value", "flatten"),
    key(Place::Aggregate, "event", "a type", "event = YourEvent"),
    key(
        Place::Aggregate,
        "cache",
        "a list of rules",
        "cache(min_events = 10)",
    ),
    key(
        Place::Aggregate,
        "fingerprint",
        "a string or a number",
        "fingerprint = \"2\"",
    ),
    key(Place::Aggregate, "crate", "a path", "crate = ::eventlogs"),
    key(Place::Cache, "min_events", "an integer", "min_events = 10"),
    key(
        Place::Cache,
        "max_events",
        "an integer",
        "max_events = 1000",
    ),
    key(Place::Cache, "every", "an integer", "every = 5"),
    key(Place::Cache, "min_age", "a duration", "min_age = \"30s\""),
    key(Place::Cache, "max_age", "a duration", "max_age = \"7d\""),
    key(Place::Cache, "ttl", "a duration", "ttl = \"1h\""),
    key(
        Place::Cache,
        "when",
        "the path of a function",
        "when = is_open",
    ),
    key(Place::Cache, "never", "no value", "cache(never)"),
    key(
        Place::HandlerBlock,
        "ignore",
        "a list of variants",
        "ignore(Requested | Voided)",
    ),
    key(
        Place::HandlerBlock,
        "crate",
        "a path",
        "crate = ::eventlogs",
    ),
];

/// An entry whose key belongs where it stands.
pub(crate) struct Known {
    /// The key's line in the table.
    pub(crate) facts: &'static KeyFacts,
    /// The key as written.
    pub(crate) key: Key,
    /// Its value, not looked at yet.
    pub(crate) value: Value,
}

/// Whether a word is a key behind the event type of `#[event_handler(…)]`.
pub(crate) fn is_handler_key(word: &str) -> bool {
    at(Place::HandlerBlock).any(|facts| facts.name == word)
}

/// The keys of one place.
fn at(place: Place) -> impl Iterator<Item = &'static KeyFacts> {
    KEYS.iter().filter(move |facts| facts.place == place)
}

/// Keeps the entries whose keys belong to `place` and are given once; records the others as mistakes.
///
/// `owner` is how the user calls what the keys of the next level up belong to: ``enum PaymentEvent`` for a variant, the
/// variant's name for a field.
pub(crate) fn check(
    entries: Vec<Entry>,
    place: Place,
    owner: &str,
    errors: &mut Errors,
) -> Vec<Known> {
    let mut first: HashMap<String, Key> = HashMap::new();
    let mut known = Vec::new();
    for Entry { key, value } in entries {
        let Some(facts) = at(place).find(|facts| facts.name == key.name) else {
            errors.at(
                key.span,
                misplaced(&key.name, place, owner).unwrap_or_else(|| unknown(&key.name, place)),
            );
            continue;
        };
        if let Some(first) = first.get(&key.name).filter(|_| !facts.repeatable) {
            errors.at(key.span, format!("`{}` is given twice", key.name));
            errors.at(first.span, "first given here");
            continue;
        }
        first.insert(key.name.clone(), key.clone());
        known.push(Known { facts, key, value });
    }
    known
}

/// The message for a key that belongs nowhere.
fn unknown(name: &str, place: Place) -> String {
    if place == Place::EventField {
        return format!(
            "unknown key `{name}`; a field takes serde's, as in `#[serde(rename = \"…\")]`"
        );
    }
    match suggest::closest(name, at(place).map(|facts| facts.name)) {
        Some(closest) => format!("unknown key `{name}`; did you mean `{closest}`?"),
        None => format!(
            "unknown key `{name}`; expected one of {}",
            suggest::list(at(place).map(|facts| facts.name))
        ),
    }
}

/// The key of the enum that says of its logs what this one says of a variant.
fn of_the_enum(name: &str) -> Option<&'static str> {
    match name {
        "name" => Some("log_type"),
        "alias" => Some("log_type_alias"),
        _ => None,
    }
}

/// The message for a key that belongs somewhere else.
fn misplaced(name: &str, place: Place, owner: &str) -> Option<String> {
    let homes: Vec<_> = KEYS.iter().filter(|facts| facts.name == name).collect();
    let at_home = |home: Place| homes.iter().find(|facts| facts.place == home);
    let in_event = matches!(
        place,
        Place::EventEnum | Place::EventVariant | Place::EventField
    );
    if in_event && at_home(Place::EventEnum).is_some() {
        let owner = if place == Place::EventField {
            "the enum"
        } else {
            owner
        };
        return Some(format!(
            "`{name}` is chosen for the whole enum; move it up to {owner}"
        ));
    }
    if in_event && at_home(Place::EventVariant).is_some() {
        return Some(match place {
            Place::EventField => {
                format!("`{name}` is given for a whole variant; move it up to `{owner}`")
            }
            _ => match of_the_enum(name) {
                Some(key) => format!(
                    "`{name}` is given for each variant; move it down to one, or write `{key}` for the kind of the logs"
                ),
                None => format!(
                    "`{name}` is given for each variant; move it down to the one that it is meant for"
                ),
            },
        });
    }
    if place == Place::Aggregate
        && let Some(facts) = at_home(Place::Cache)
    {
        let rule = if facts.name == "never" {
            "never"
        } else {
            facts.example
        };
        return Some(format!(
            "`{name}` is a rule of the cache; write `cache({rule})`"
        ));
    }
    if place == Place::Cache && at_home(Place::Aggregate).is_some() {
        return Some(format!(
            "`{name}` stands beside `cache(…)`; move it out of the parentheses"
        ));
    }
    if place == Place::HandlerBlock && name == "event" {
        return Some("the event type stands alone; write `#[event_handler(YourEvent)]`".to_owned());
    }
    let facts = homes.first()?;
    Some(match facts.place {
        Place::EventEnum | Place::EventVariant | Place::EventField => {
            format!(
                "`{name}` belongs to the events; write `#[event({})]` there",
                facts.example
            )
        }
        Place::Aggregate => format!(
            "`{name}` belongs to the aggregate; write `#[aggregate({})]` there",
            facts.example
        ),
        Place::Cache => {
            format!(
                "`{name}` is a rule of the aggregate's cache; write `#[aggregate(cache({}))]` there",
                facts.example
            )
        }
        Place::HandlerBlock => {
            format!(
                "`{name}` belongs to the handlers; write `#[event_handler(YourEvent, {})]` there",
                facts.example
            )
        }
    })
}

#[cfg(test)]
mod tests;
