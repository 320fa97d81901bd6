//! Values of some shape: how they are written, and when two are equal.

use crate::testing::laws::codec::shape::{FIELDS, TYPE, VARIANTS};
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

/// A value of a [`Shape`](super::shape::Shape). Equal values have the same bits.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Unit,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(Float32),
    F64(Float64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    UnitStruct,
    None,
    Some(Box<Value>),
    Newtype(Box<Value>),
    Seq(Vec<Value>),
    Tuple(Vec<Value>),
    TupleStruct(Vec<Value>),
    Struct(Vec<Value>),
    Map(Entries),
    Variant(u32, Content),
}

/// The content of a variant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Unit,
    Newtype(Box<Value>),
    Tuple(Vec<Value>),
    Struct(Vec<Value>),
}

/// A number that is equal to itself, and whose zeros differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Float32(pub(super) f32);

impl PartialEq for Float32 {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// A number of 64 bits that is equal to itself, and whose zeros differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Float64(pub(super) f64);

impl PartialEq for Float64 {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// The entries of a map. Their order does not matter, and no two keys are equal.
#[derive(Debug, Clone)]
pub(super) struct Entries(pub(super) Vec<(Value, Value)>);

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|entry| other.0.contains(entry))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::I8(value) => serializer.serialize_i8(*value),
            Self::I16(value) => serializer.serialize_i16(*value),
            Self::I32(value) => serializer.serialize_i32(*value),
            Self::I64(value) => serializer.serialize_i64(*value),
            Self::I128(value) => serializer.serialize_i128(*value),
            Self::U8(value) => serializer.serialize_u8(*value),
            Self::U16(value) => serializer.serialize_u16(*value),
            Self::U32(value) => serializer.serialize_u32(*value),
            Self::U64(value) => serializer.serialize_u64(*value),
            Self::U128(value) => serializer.serialize_u128(*value),
            Self::F32(value) => serializer.serialize_f32(value.0),
            Self::F64(value) => serializer.serialize_f64(value.0),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::UnitStruct => serializer.serialize_unit_struct(TYPE),
            Self::None => serializer.serialize_none(),
            Self::Some(value) => serializer.serialize_some(value),
            Self::Newtype(value) => serializer.serialize_newtype_struct(TYPE, value),
            Self::Seq(values) => {
                let mut parts = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    parts.serialize_element(value)?;
                }
                parts.end()
            }
            Self::Tuple(values) => {
                let mut parts = serializer.serialize_tuple(values.len())?;
                for value in values {
                    parts.serialize_element(value)?;
                }
                parts.end()
            }
            Self::TupleStruct(values) => {
                let mut parts = serializer.serialize_tuple_struct(TYPE, values.len())?;
                for value in values {
                    parts.serialize_field(value)?;
                }
                parts.end()
            }
            Self::Struct(values) => {
                let mut parts = serializer.serialize_struct(TYPE, values.len())?;
                for (name, value) in FIELDS.iter().zip(values) {
                    parts.serialize_field(name, value)?;
                }
                parts.end()
            }
            Self::Map(Entries(entries)) => {
                let mut parts = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    parts.serialize_entry(key, value)?;
                }
                parts.end()
            }
            Self::Variant(index, content) => content.serialize(*index, serializer),
        }
    }
}

impl Content {
    fn serialize<S: Serializer>(&self, index: u32, serializer: S) -> Result<S::Ok, S::Error> {
        let variant = VARIANTS.get(index as usize).copied();
        let variant = variant.ok_or_else(|| S::Error::custom("no variant has this number"))?;
        match self {
            Self::Unit => serializer.serialize_unit_variant(TYPE, index, variant),
            Self::Newtype(value) => {
                serializer.serialize_newtype_variant(TYPE, index, variant, value)
            }
            Self::Tuple(values) => {
                let length = values.len();
                let mut parts = serializer.serialize_tuple_variant(TYPE, index, variant, length)?;
                for value in values {
                    parts.serialize_field(value)?;
                }
                parts.end()
            }
            Self::Struct(values) => {
                let length = values.len();
                let mut parts =
                    serializer.serialize_struct_variant(TYPE, index, variant, length)?;
                for (name, value) in FIELDS.iter().zip(values) {
                    parts.serialize_field(name, value)?;
                }
                parts.end()
            }
        }
    }
}
