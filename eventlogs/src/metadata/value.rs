use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The value of an entry of [`Metadata`](crate::Metadata).
///
/// There are no fractions: a value that must be exact is a string or an integer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataValue {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

impl MetadataValue {
    /// Returns the string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, if it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// Returns the boolean, if it is one.
    #[must_use]
    pub const fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }
}

/// Shows the value; a string without quotes.
impl fmt::Display for MetadataValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(formatter),
            Self::Integer(integer) => integer.fmt(formatter),
            Self::Boolean(boolean) => boolean.fmt(formatter),
        }
    }
}

impl From<&str> for MetadataValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for MetadataValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for MetadataValue {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<i32> for MetadataValue {
    fn from(integer: i32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<u32> for MetadataValue {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<bool> for MetadataValue {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl Serialize for MetadataValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
        }
    }
}

impl<'de> Deserialize<'de> for MetadataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &&str = &"a string, a 64-bit integer or a boolean";
        // Read with serde_json's own value instead of a visitor: if any crate of the program enables the feature
        // `arbitrary_precision` of serde_json, a visitor gets a number as a map.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self::Text(text)),
            serde_json::Value::Bool(boolean) => Ok(Self::Boolean(boolean)),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Self::Integer).ok_or_else(|| {
                    Error::invalid_value(Unexpected::Other(&format!("number {number}")), EXPECTED)
                })
            }
            serde_json::Value::Null => Err(Error::invalid_type(Unexpected::Unit, EXPECTED)),
            serde_json::Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, EXPECTED)),
            serde_json::Value::Object(_) => Err(Error::invalid_type(Unexpected::Map, EXPECTED)),
        }
    }
}
