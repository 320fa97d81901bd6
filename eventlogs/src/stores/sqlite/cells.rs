//! The values of rows of projections: how the fields of a struct become values of SQLite, and how serde reads them.

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Number, Value};

/// A value of SQLite. Rows have no blobs: serde has no single value for bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// `None`.
    Null,
    /// A number or a truth value.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A text, or JSON.
    Text(String),
}

/// What the declared type of a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    /// `json`: the column has JSON only.
    Json,
    /// `boolean`.
    Boolean,
    /// Another type, or none.
    Other,
}

impl Declared {
    /// Reads a declared type.
    pub(super) fn of(written: &str) -> Self {
        let written = written.to_ascii_lowercase();
        if written.contains("json") {
            Self::Json
        } else if written.contains("bool") {
            Self::Boolean
        } else {
            Self::Other
        }
    }
}

impl Cell {
    /// Converts the value of a field.
    ///
    /// # Errors
    /// The number, if SQLite has no integer that is so large.
    pub(super) fn of(value: Value, declared: Declared) -> Result<Self, Number> {
        Ok(match value {
            Value::Null => Self::Null,
            value if declared == Declared::Json => Self::Text(value.to_string()),
            Value::Bool(flag) => Self::Integer(flag.into()),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Self::Integer(number),
                (None, Some(real)) if !number.is_u64() => Self::Real(real),
                _ => return Err(number),
            },
            Value::String(text) => Self::Text(text),
            list_or_map => Self::Text(list_or_map.to_string()),
        })
    }
}

/// Reads a row from its cells.
pub(super) fn read<R: DeserializeOwned>(
    cells: impl Iterator<Item = (String, Cell, Declared)>,
) -> Result<R, Error> {
    let fields = cells.map(|(name, cell, declared)| (name, CellReader { cell, declared }));
    R::deserialize(MapDeserializer::new(fields))
}

/// Reads a cell as the type of its field.
///
/// The field decides what a value means: an integer is a truth value for a `bool`, and a text is JSON for a list or a struct.
/// Only where serde does not ask for a type, as in flattened fields, the declared type of the column decides.
struct CellReader {
    cell: Cell,
    declared: Declared,
}

impl CellReader {
    /// Returns the JSON in the cell.
    fn json(self) -> Result<Value, Error> {
        match self.cell {
            Cell::Null => Ok(Value::Null),
            Cell::Integer(number) => Ok(number.into()),
            Cell::Real(number) => Ok(number.into()),
            Cell::Text(text) => serde_json::from_str(&text),
        }
    }
}

impl IntoDeserializer<'_, Error> for CellReader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads lists and maps, which are JSON in any column.
macro_rules! as_json {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Error> {
                $(let _ = $argument;)*
                self.json()?.deserialize_any(visitor)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for CellReader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.declared, self.cell) {
            (_, Cell::Null) => visitor.visit_unit(),
            (Declared::Boolean, Cell::Integer(number @ (0 | 1))) => visitor.visit_bool(number == 1),
            (Declared::Json, Cell::Text(text)) => {
                serde_json::from_str::<Value>(&text)?.deserialize_any(visitor)
            }
            (_, Cell::Integer(number)) => visitor.visit_i64(number),
            (_, Cell::Real(number)) => visitor.visit_f64(number),
            (_, Cell::Text(text)) => visitor.visit_string(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.cell {
            Cell::Integer(number @ (0 | 1)) => visitor.visit_bool(number == 1),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.cell {
            Cell::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.cell {
            // A variant with content is a map.
            Cell::Text(text) if self.declared != Declared::Json && !text.starts_with('{') => {
                visitor.visit_enum(text.into_deserializer())
            }
            _ => self.json()?.deserialize_enum(name, variants, visitor),
        }
    }

    as_json! {
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_seq();
        deserialize_tuple(_length: usize);
        deserialize_tuple_struct(_name: &'static str, _length: usize);
        deserialize_map();
        deserialize_struct(_name: &'static str, _fields: &'static [&'static str]);
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct identifier ignored_any
    }
}
