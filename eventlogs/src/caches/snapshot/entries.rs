//! Reads values that have parts.

use crate::caches::snapshot::format::{Problem, tag};
use crate::caches::snapshot::reader::Reader;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

/// Fails if a type has taken fewer parts than there are: it reads something else than was written.
fn all_taken<T>(value: T, left: usize) -> Result<T, Problem> {
    if left == 0 {
        Ok(value)
    } else {
        Err(Problem::custom(format_args!(
            "the type leaves {left} parts unread"
        )))
    }
}

/// The elements of a sequence.
pub(super) struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'a, 'de> Elements<'a, 'de> {
    pub(super) fn visit<V: Visitor<'de>>(
        reader: &'a mut Reader<'de>,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let left = reader.parts()?;
        let mut elements = Self { reader, left };
        let value = visitor.visit_seq(&mut elements)?;
        all_taken(value, elements.left)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The entries of a map.
pub(super) struct Entries<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'a, 'de> Entries<'a, 'de> {
    pub(super) fn visit<V: Visitor<'de>>(
        reader: &'a mut Reader<'de>,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let left = reader.parts()?;
        let mut entries = Self { reader, left };
        let value = visitor.visit_map(&mut entries)?;
        all_taken(value, entries.left)
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Problem> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a struct.
pub(super) struct Fields<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'a, 'de> Fields<'a, 'de> {
    pub(super) fn visit<V: Visitor<'de>>(
        reader: &'a mut Reader<'de>,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let left = reader.parts()?;
        let mut fields = Self { reader, left };
        let value = visitor.visit_map(&mut fields)?;
        all_taken(value, fields.left)
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let name = BorrowedStrDeserializer::new(self.reader.name()?);
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Problem> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A variant of an enum, for a type that asks for one.
pub(super) struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    tag: u8,
    name: &'de str,
}

impl<'a, 'de> Variant<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Result<Self, Problem> {
        let (tag, name) = match reader.tag()? {
            // Written by hand, as its name.
            tag::STR => (tag::UNIT_VARIANT, reader.text()?),
            tag @ (tag::UNIT_VARIANT
            | tag::NEWTYPE_VARIANT
            | tag::TUPLE_VARIANT
            | tag::STRUCT_VARIANT) => (tag, reader.name()?),
            _ => return Err(Problem::custom("the value is not a variant of an enum")),
        };
        Ok(Self { reader, tag, name })
    }

    fn expect(self, tag: u8) -> Result<&'a mut Reader<'de>, Problem> {
        self.reader.trace.kind(tag);
        if self.tag == tag {
            Ok(self.reader)
        } else {
            Err(Problem::custom("the variant is not of the expected kind"))
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Problem> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        self.expect(tag::UNIT_VARIANT).map(|_| ())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Problem> {
        seed.deserialize(self.expect(tag::NEWTYPE_VARIANT)?)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.reader.trace.tuple(tag::TUPLE_VARIANT, elements);
        Elements::visit(self.expect(tag::TUPLE_VARIANT)?, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.reader.trace.list(tag::STRUCT_VARIANT, "", fields);
        Fields::visit(self.expect(tag::STRUCT_VARIANT)?, visitor)
    }
}

/// A variant of an enum, for a type that does not ask for one: a map from its name to its content.
pub(super) struct OneVariant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    tag: u8,
    name: Option<&'de str>,
    left: usize,
}

impl<'a, 'de> OneVariant<'a, 'de> {
    pub(super) fn visit<V: Visitor<'de>>(
        reader: &'a mut Reader<'de>,
        tag: u8,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let name = Some(reader.name()?);
        let mut entry = Self {
            reader,
            tag,
            name,
            left: 1,
        };
        let value = visitor.visit_map(&mut entry)?;
        all_taken(value, entry.left)
    }
}

impl<'de> MapAccess<'de> for OneVariant<'_, 'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        match self.name.take() {
            Some(name) => seed
                .deserialize(BorrowedStrDeserializer::new(name))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Problem> {
        self.left = 0;
        seed.deserialize(Content {
            reader: self.reader,
            tag: self.tag,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The content of a variant, for a type that does not ask for one.
struct Content<'a, 'de> {
    reader: &'a mut Reader<'de>,
    tag: u8,
}

impl<'de> serde::Deserializer<'de> for Content<'_, 'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.reader.trace.blind();
        match self.tag {
            tag::TUPLE_VARIANT => Elements::visit(self.reader, visitor),
            tag::STRUCT_VARIANT => Fields::visit(self.reader, visitor),
            _ => self.reader.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
