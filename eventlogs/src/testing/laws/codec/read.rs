//! Reads a value of some shape with the calls that serde's derive makes for a type of that shape.

use crate::testing::laws::codec::shape::{FIELDS, Shape, TYPE, VARIANTS, Variant};
use crate::testing::laws::codec::value::{Content, Entries, Float32, Float64, Value};
use serde::de::{
    DeserializeSeed, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

thread_local! {
    /// The shape that the next [`Sample`] is read as: a codec is told only a type, so the shape cannot be an argument.
    static EXPECTED: RefCell<Option<Rc<Shape>>> = const { RefCell::new(None) };
}

/// Reads [`Sample`]s of this shape.
pub(super) fn expecting<T>(shape: &Rc<Shape>, read: impl FnOnce() -> T) -> T {
    EXPECTED.set(Some(Rc::clone(shape)));
    read()
}

/// A value of the shape that is expected at the moment.
pub(super) struct Sample(pub(super) Value);

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = EXPECTED.with_borrow(Clone::clone);
        let shape = shape.ok_or_else(|| D::Error::custom("no shape is expected"))?;
        shape.deserialize(deserializer).map(Self)
    }
}

impl<'de> DeserializeSeed<'de> for &Shape {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        Ok(match self {
            Shape::Unit => <()>::deserialize(from).map(|()| Value::Unit)?,
            Shape::Bool => Value::Bool(Deserialize::deserialize(from)?),
            Shape::I8 => Value::I8(Deserialize::deserialize(from)?),
            Shape::I16 => Value::I16(Deserialize::deserialize(from)?),
            Shape::I32 => Value::I32(Deserialize::deserialize(from)?),
            Shape::I64 => Value::I64(Deserialize::deserialize(from)?),
            Shape::I128 => Value::I128(Deserialize::deserialize(from)?),
            Shape::U8 => Value::U8(Deserialize::deserialize(from)?),
            Shape::U16 => Value::U16(Deserialize::deserialize(from)?),
            Shape::U32 => Value::U32(Deserialize::deserialize(from)?),
            Shape::U64 => Value::U64(Deserialize::deserialize(from)?),
            Shape::U128 => Value::U128(Deserialize::deserialize(from)?),
            Shape::F32 => Value::F32(Float32(Deserialize::deserialize(from)?)),
            Shape::F64 => Value::F64(Float64(Deserialize::deserialize(from)?)),
            Shape::Char => Value::Char(Deserialize::deserialize(from)?),
            Shape::Text => Value::Text(Deserialize::deserialize(from)?),
            Shape::Bytes => return from.deserialize_byte_buf(Reading(self)),
            Shape::UnitStruct => return from.deserialize_unit_struct(TYPE, Reading(self)),
            Shape::Option(_) => return from.deserialize_option(Reading(self)),
            Shape::Newtype(_) => return from.deserialize_newtype_struct(TYPE, Reading(self)),
            Shape::Seq(_) => return from.deserialize_seq(Reading(self)),
            Shape::Tuple(shapes) => return from.deserialize_tuple(shapes.len(), Reading(self)),
            Shape::TupleStruct(shapes) => {
                return from.deserialize_tuple_struct(TYPE, shapes.len(), Reading(self));
            }
            Shape::Struct(shapes) => {
                return from.deserialize_struct(TYPE, &FIELDS[..shapes.len()], Reading(self));
            }
            Shape::Map(..) => return from.deserialize_map(Reading(self)),
            Shape::Enum(variants) => {
                return from.deserialize_enum(TYPE, &VARIANTS[..variants.len()], Reading(self));
            }
        })
    }
}

/// Accepts the calls of a format for a shape.
struct Reading<'s>(&'s Shape);

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
        match self.0 {
            Shape::Bytes => Ok(Value::Bytes(bytes.to_vec())),
            _ => Err(E::custom("bytes were not expected")),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        match self.0 {
            Shape::UnitStruct => Ok(Value::UnitStruct),
            Shape::Option(_) => Ok(Value::None),
            _ => Err(E::custom("nothing was not expected")),
        }
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        match self.0 {
            Shape::Option(_) => Ok(Value::None),
            _ => Err(E::custom("`None` was not expected")),
        }
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        match self.0 {
            Shape::Option(shape) => Ok(Value::Some(Box::new(shape.deserialize(from)?))),
            _ => Err(D::Error::custom("`Some` was not expected")),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        match self.0 {
            Shape::Newtype(shape) => Ok(Value::Newtype(Box::new(shape.deserialize(from)?))),
            _ => Err(D::Error::custom("a newtype was not expected")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        match self.0 {
            // Formats without bytes use sequences of numbers.
            Shape::Bytes => {
                let mut bytes = Vec::new();
                while let Some(byte) = from.next_element()? {
                    bytes.push(byte);
                }
                Ok(Value::Bytes(bytes))
            }
            Shape::Seq(shape) => {
                let mut values = Vec::new();
                while let Some(value) = from.next_element_seed(&**shape)? {
                    values.push(value);
                }
                Ok(Value::Seq(values))
            }
            Shape::Newtype(shape) => Ok(Value::Newtype(Box::new(next(&mut from, shape)?))),
            Shape::Tuple(shapes) => all(from, shapes).map(Value::Tuple),
            Shape::TupleStruct(shapes) => all(from, shapes).map(Value::TupleStruct),
            Shape::Struct(shapes) => all(from, shapes).map(Value::Struct),
            _ => Err(A::Error::custom("a sequence was not expected")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        match self.0 {
            Shape::Map(key, value) => {
                let mut entries = Vec::new();
                while let Some(entry) = from.next_entry_seed(&**key, &**value)? {
                    entries.push(entry);
                }
                Ok(Value::Map(Entries(entries)))
            }
            Shape::Struct(shapes) => named(from, shapes).map(Value::Struct),
            _ => Err(A::Error::custom("a map was not expected")),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, from: A) -> Result<Value, A::Error> {
        let Shape::Enum(variants) = self.0 else {
            return Err(A::Error::custom("an enum was not expected"));
        };
        let (index, content) = from.variant_seed(Named(&VARIANTS))?;
        let variant = variants.get(index);
        let content = match variant.ok_or_else(|| A::Error::custom("an unknown variant"))? {
            Variant::Unit => content.unit_variant().map(|()| Content::Unit)?,
            Variant::Newtype(shape) => {
                Content::Newtype(Box::new(content.newtype_variant_seed(shape)?))
            }
            Variant::Tuple(shapes) => content.tuple_variant(shapes.len(), Fields(shapes, false))?,
            Variant::Struct(shapes) => {
                content.struct_variant(&FIELDS[..shapes.len()], Fields(shapes, true))?
            }
        };
        Ok(Value::Variant(
            u32::try_from(index).unwrap_or(u32::MAX),
            content,
        ))
    }
}

/// The fields of a variant, with names or without.
struct Fields<'s>(&'s [Shape], bool);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the fields {:?}", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<Content, A::Error> {
        let values = all(from, self.0)?;
        Ok(if self.1 {
            Content::Struct(values)
        } else {
            Content::Tuple(values)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<Content, A::Error> {
        named(from, self.0).map(Content::Struct)
    }
}

/// Looks up the index of a name among these.
struct Named(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Named {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<usize, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Named {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of {:?}", self.0)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let place = self.0.iter().position(|known| *known == name);
        place.ok_or_else(|| E::unknown_field(name, self.0))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        let place = self.0.iter().position(|known| known.as_bytes() == name);
        place.ok_or_else(|| E::custom("an unknown name"))
    }

    fn visit_u64<E: Error>(self, index: u64) -> Result<usize, E> {
        usize::try_from(index).map_err(E::custom)
    }
}

/// Returns the next of several values.
fn next<'de, A: SeqAccess<'de>>(from: &mut A, shape: &Shape) -> Result<Value, A::Error> {
    let value = from.next_element_seed(shape)?;
    value.ok_or_else(|| A::Error::custom("the sequence is too short"))
}

/// Returns one value of each shape.
fn all<'de, A: SeqAccess<'de>>(mut from: A, shapes: &[Shape]) -> Result<Vec<Value>, A::Error> {
    shapes.iter().map(|shape| next(&mut from, shape)).collect()
}

/// Returns one value of each shape, by name.
fn named<'de, A: MapAccess<'de>>(mut from: A, shapes: &[Shape]) -> Result<Vec<Value>, A::Error> {
    let mut values: Vec<Option<Value>> = vec![None; shapes.len()];
    while let Some(index) = from.next_key_seed(Named(&FIELDS))? {
        match (shapes.get(index), values.get_mut(index)) {
            (Some(shape), Some(value)) if value.is_none() => {
                *value = Some(from.next_value_seed(shape)?);
            }
            (Some(_), Some(_)) => return Err(A::Error::duplicate_field(FIELDS[index])),
            _ => {
                from.next_value::<IgnoredAny>()?;
            }
        }
    }
    let values: Option<Vec<Value>> = values.into_iter().collect();
    values.ok_or_else(|| A::Error::custom("a field is missing"))
}
