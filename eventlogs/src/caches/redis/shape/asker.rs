//! A deserialiser that has nothing to read: it answers every question with some value of the kind asked for.

use super::{DEPTH, Trace};
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

/// The deserialiser.
pub(super) struct Asker<'a> {
    /// What it notes and where its answers come from.
    pub(super) trace: &'a mut Trace,
    /// How deep the value is nested.
    pub(super) depth: usize,
}

/// Why a pass ended: a type did not accept a value, or is too deep.
#[derive(Debug)]
pub(super) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the type accepts none of the values that it was offered")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Asker<'_> {
    /// Notes a question, and goes one level deeper.
    fn note(&mut self, kind: &str) -> Asker<'_> {
        self.trace.hash.add(kind);
        Asker {
            trace: self.trace,
            depth: self.depth + 1,
        }
    }

    /// Whether a value that may be empty has to be, because it is deep enough.
    const fn is_deep(&self) -> bool {
        self.depth >= DEPTH
    }
}

/// A question with one answer.
macro_rules! answer {
    ($($ask:ident => $visit:ident($($value:expr)?);)*) => {
        $(fn $ask<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
            self.note(stringify!($ask));
            visitor.$visit($($value)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Asker<'_> {
    type Error = Refused;

    answer! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(1);
        deserialize_i16 => visit_i16(1);
        deserialize_i32 => visit_i32(1);
        deserialize_i64 => visit_i64(1);
        deserialize_i128 => visit_i128(1);
        deserialize_u8 => visit_u8(1);
        deserialize_u16 => visit_u16(1);
        deserialize_u32 => visit_u32(1);
        deserialize_u64 => visit_u64(1);
        deserialize_u128 => visit_u128(1);
        deserialize_f32 => visit_f32(1.0);
        deserialize_f64 => visit_f64(1.0);
        deserialize_char => visit_char('0');
        deserialize_bytes => visit_bytes(&[0; 16]);
        deserialize_byte_buf => visit_byte_buf(vec![0; 16]);
        deserialize_unit => visit_unit();
        deserialize_ignored_any => visit_unit();
        // Untagged and flattened types ask like this; which of their fields would fit cannot be told.
        deserialize_any => visit_unit();
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        let text = self.note("text").trace.text();
        visitor.visit_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_deep() {
            return visitor.visit_none();
        }
        visitor.visit_some(self.note("option"))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.note(name);
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.is_deep() {
            return Err(Refused);
        }
        visitor.visit_newtype_struct(self.note(name))
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        let elements = usize::from(!self.is_deep());
        visitor.visit_seq(Elements {
            asker: self.note("sequence"),
            left: elements,
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        mut self,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.is_deep() {
            return Err(Refused);
        }
        visitor.visit_seq(Elements {
            asker: self.note("tuple"),
            left: elements,
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.trace.hash.add(name);
        self.deserialize_tuple(elements, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        let entries = usize::from(!self.is_deep());
        visitor.visit_map(Entries {
            asker: self.note("map"),
            left: entries,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.is_deep() {
            return Err(Refused);
        }
        visitor.visit_map(Fields {
            asker: self.note(name),
            fields: fields.iter(),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.is_deep() {
            return Err(Refused);
        }
        let asker = self.note(name);
        for variant in variants {
            asker.trace.hash.add(variant);
        }
        let variant = asker.trace.variant(name, variants).ok_or(Refused)?;
        visitor.visit_enum(Variant { asker, variant })
    }

    // Caches write MessagePack, to which types may give another form than to a text.
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements of a sequence.
struct Elements<'a> {
    asker: Asker<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(self.asker.note("element")).map(Some)
    }
}

/// The entries of a map.
struct Entries<'a> {
    asker: Asker<'a>,
    left: usize,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(self.asker.note("key")).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self.asker.note("value"))
    }
}

/// The fields of a struct, in the order in which it names them.
struct Fields<'a> {
    asker: Asker<'a>,
    fields: std::slice::Iter<'static, &'static str>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let Some(field) = self.fields.next() else {
            return Ok(None);
        };
        self.asker.trace.hash.add(field);
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self.asker.note("field"))
    }
}

/// One variant of an enum.
struct Variant<'a> {
    asker: Asker<'a>,
    variant: &'static str,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Refused;
    type Variant = Asker<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Asker<'a>), Refused> {
        let variant = seed.deserialize(StrDeserializer::new(self.variant))?;
        Ok((variant, self.asker))
    }
}

impl<'de> VariantAccess<'de> for Asker<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        self.trace.hash.add("unit");
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        mut self,
        seed: T,
    ) -> Result<T::Value, Refused> {
        seed.deserialize(self.note("newtype"))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_tuple(elements, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_struct("variant", fields, visitor)
    }
}
