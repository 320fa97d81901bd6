//! The content of a payload without its type, to compare what was stored with what is written today.

use serde::de::{Deserialize, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The longest text of a value in a message, in characters.
const SHOWN: usize = 60;

/// A value as a self-describing codec holds it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Content>),
    Map(Vec<(Content, Content)>),
}

impl Content {
    /// Returns `true` for what serde's attributes often leave out: nothing, and what is empty.
    fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(values) => values.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Text(text) => text.is_empty(),
            Self::Bool(_) | Self::Integer(_) | Self::Float(_) => false,
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Float(value) => value.fmt(formatter),
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::List(values) => {
                formatter.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(formatter, "{comma}{value}")?;
                }
                formatter.write_str("]")
            }
            Self::Map(entries) => {
                formatter.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(formatter, "{comma}{key}:{value}")?;
                }
                formatter.write_str("}")
            }
        }
    }
}

/// Returns what of the stored content is not in the content that is written today, or is another value there. More may be there:
/// a field that was added later.
pub(super) fn differences(stored: &Content, today: &Content) -> Vec<String> {
    let mut found = Vec::new();
    compare(stored, today, "", &mut found);
    found
}

fn compare(stored: &Content, today: &Content, path: &str, found: &mut Vec<String>) {
    match (stored, today) {
        (Content::Map(stored), Content::Map(today)) => compare_maps(stored, today, path, found),
        (Content::List(stored), Content::List(today)) => {
            for (index, value) in stored.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match today.get(index) {
                    Some(today) => compare(value, today, &path, found),
                    None => found.push(lost(&path, value)),
                }
            }
        }
        _ if is_same(stored, today) => {}
        _ => found.push(format!(
            "{} was {}, but is {} when it is read and written again",
            named(path),
            short(stored),
            short(today)
        )),
    }
}

/// Compares two maps by their keys. A value whose key is gone may be there under a new key: the field was renamed.
fn compare_maps(
    stored: &[(Content, Content)],
    today: &[(Content, Content)],
    path: &str,
    found: &mut Vec<String>,
) {
    let is_new = |key: &Content| stored.iter().all(|(stored, _)| stored != key);
    let mut added: Vec<_> = today.iter().filter(|(key, _)| is_new(key)).collect();
    for (key, value) in stored {
        let path = match key {
            Content::Text(key) if path.is_empty() => key.clone(),
            Content::Text(key) => format!("{path}.{key}"),
            _ => format!("{path}[{key}]"),
        };
        if let Some((_, today)) = today.iter().find(|(today, _)| today == key) {
            compare(value, today, &path, found);
        } else if let Some(renamed) = added
            .iter()
            .position(|(_, today)| !value.is_empty() && differences(value, today).is_empty())
        {
            added.remove(renamed);
        } else if !value.is_empty() {
            found.push(lost(&path, value));
        }
    }
}

/// Returns `true` if two values that are neither both maps nor both lists have the same meaning.
fn is_same(stored: &Content, today: &Content) -> bool {
    match (stored, today) {
        // What was absent may have got a default.
        (Content::Null, _) => true,
        (Content::Integer(integer), Content::Float(float))
        | (Content::Float(float), Content::Integer(integer)) => {
            // A number that a codec holds in 64 bits; the comparison is that of the nearest floats.
            #[allow(clippy::cast_precision_loss, reason = "the nearest float is meant")]
            let nearest = *integer as f64;
            nearest.total_cmp(float).is_eq()
        }
        (Content::Float(stored), Content::Float(today)) => stored.total_cmp(today).is_eq(),
        _ => stored == today,
    }
}

fn lost(path: &str, value: &Content) -> String {
    format!("{} was {}, but is lost", named(path), short(value))
}

/// Returns the place of a value, for a message.
fn named(path: &str) -> String {
    if path.is_empty() {
        "the payload".to_owned()
    } else {
        format!("`{path}`")
    }
}

/// Returns the text of a value, cut off if it is long.
fn short(value: &Content) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

/// Takes whatever a codec finds.
struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Content, E> {
        Ok(Content::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Integer(value.into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Content, E> {
        Ok(i128::try_from(value)
            .map_or_else(|_| Content::Text(value.to_string()), Content::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Content, E> {
        let bytes = value.iter().copied();
        Ok(Content::List(
            bytes.map(|byte| Content::Integer(byte.into())).collect(),
        ))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Content, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Content::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Content::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Content, A::Error> {
        Err(A::Error::custom("an enum without its type"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, differences};

    fn content(json: &str) -> Content {
        serde_json::from_str(json).expect("it is JSON")
    }

    fn compared(stored: &str, today: &str) -> Vec<String> {
        differences(&content(stored), &content(today))
    }

    #[test]
    fn what_is_still_there_may_have_moved_and_have_more_around_it() {
        for (stored, today) in [
            (r#"{"a":1,"b":[true,"x"]}"#, r#"{"b":[true,"x"],"a":1}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{"c":0,"b":1}}"#),
            // Renamed, with an alias.
            (r#"{"a":1,"b":2}"#, r#"{"c":1,"b":2}"#),
            (r#"{"Card":{"n":1}}"#, r#"{"CreditCard":{"n":1,"m":null}}"#),
            // Left out where it is empty, or given a default.
            (r#"{"a":null,"b":[],"c":{},"d":""}"#, "{}"),
            (r#"{"a":null}"#, r#"{"a":5}"#),
            // Another type of number with the same value.
            (r#"{"a":5}"#, r#"{"a":5.0}"#),
        ] {
            assert_eq!(compared(stored, today), [""; 0], "{stored} {today}");
        }
    }

    #[test]
    fn what_is_lost_or_another_value_is_named() {
        for (stored, today, expected) in [
            (r#"{"a":1}"#, "{}", "`a` was `1`, but is lost"),
            (
                r#"{"lines":[{"sku":"x","n":1}]}"#,
                r#"{"lines":[{"code":"","n":1}]}"#,
                "`lines[0].sku` was `\"x\"`, but is lost",
            ),
            ("[1,2]", "[1]", "`[1]` was `2`, but is lost"),
            (
                r#"{"a":"2026"}"#,
                r#"{"a":"26"}"#,
                "`a` was `\"2026\"`, but is `\"26\"` when it is read and written again",
            ),
            (
                "0.1",
                "0.10000000149011612",
                "the payload was `0.1`, but is `0.10000000149011612` when it is read and written again",
            ),
            // One new key stands for one lost key only.
            (r#"{"a":1,"b":1}"#, r#"{"c":1}"#, "`b` was `1`, but is lost"),
        ] {
            assert_eq!(compared(stored, today), [expected], "{stored} {today}");
        }
    }

    #[test]
    fn a_long_value_is_cut_off() {
        let long = "ä".repeat(100);
        let found = compared(&format!(r#"{{"a":"{long}"}}"#), "{}");
        assert_eq!(
            found,
            [format!("`a` was `\"{}…`, but is lost", "ä".repeat(59))]
        );
    }
}
