//! Reads a value as its type asks for it.

use crate::caches::snapshot::entries::{Elements, Entries, Fields, OneVariant, Variant};
use crate::caches::snapshot::format::{Problem, tag};
use crate::caches::snapshot::reader::Reader;
use serde::de::{Deserializer, Error, Visitor};

/// The kinds that types ask for, with numbers after those of the tags. A tag's number stands for the kind of its own values.
mod asked {
    pub(super) const ANYTHING: u8 = 100;
    pub(super) const IGNORED: u8 = 101;
    pub(super) const OPTION: u8 = 102;
    pub(super) const UNIT_STRUCT: u8 = 103;
    pub(super) const NEWTYPE_STRUCT: u8 = 104;
    pub(super) const TUPLE_STRUCT: u8 = 105;
    pub(super) const IDENTIFIER: u8 = 106;
    pub(super) const ENUM: u8 = 107;
    pub(super) const STRING: u8 = 108;
    pub(super) const BYTE_BUF: u8 = 109;
    pub(super) const BOOL: u8 = 110;
}

impl<'de> Reader<'de> {
    /// Gives the next value to the visitor as what was written.
    fn visit<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Problem> {
        match self.tag()? {
            tag::NONE => visitor.visit_none(),
            tag::SOME => self.nested(|reader| visitor.visit_some(reader)),
            tag::UNIT => visitor.visit_unit(),
            tag::FALSE => visitor.visit_bool(false),
            tag::TRUE => visitor.visit_bool(true),
            tag::I8 => visitor.visit_i8(self.signed()?),
            tag::I16 => visitor.visit_i16(self.signed()?),
            tag::I32 => visitor.visit_i32(self.signed()?),
            tag::I64 => visitor.visit_i64(self.signed()?),
            tag::I128 => visitor.visit_i128(i128::from_le_bytes(self.array()?)),
            tag::U8 => visitor.visit_u8(self.unsigned()?),
            tag::U16 => visitor.visit_u16(self.unsigned()?),
            tag::U32 => visitor.visit_u32(self.unsigned()?),
            tag::U64 => visitor.visit_u64(self.number()?),
            tag::U128 => visitor.visit_u128(u128::from_le_bytes(self.array()?)),
            tag::F32 => visitor.visit_f32(f32::from_bits(u32::from_le_bytes(self.array()?))),
            tag::F64 => visitor.visit_f64(f64::from_bits(u64::from_le_bytes(self.array()?))),
            tag::CHAR => visitor.visit_char(self.character()?),
            tag::STR => visitor.visit_borrowed_str(self.text()?),
            tag::BYTES => visitor.visit_borrowed_bytes(self.bytes()?),
            tag::SEQ | tag::TUPLE => self.nested(|reader| Elements::visit(reader, visitor)),
            tag::MAP => self.nested(|reader| Entries::visit(reader, visitor)),
            tag::STRUCT => self.nested(|reader| Fields::visit(reader, visitor)),
            // As self-describing formats present an enum to a type that does not expect one.
            tag::UNIT_VARIANT => visitor.visit_borrowed_str(self.name()?),
            variant @ (tag::NEWTYPE_VARIANT | tag::TUPLE_VARIANT | tag::STRUCT_VARIANT) => {
                self.nested(|reader| OneVariant::visit(reader, variant, visitor))
            }
            tag => Err(Problem::custom(format_args!("the tag {tag} is unknown"))),
        }
    }
}

/// Records what is asked for, and gives what was written.
macro_rules! ask {
    ($($method:ident => $asked:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            self.trace.kind($asked);
            self.visit(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Problem;

    ask! {
        deserialize_bool => asked::BOOL;
        deserialize_i8 => tag::I8;
        deserialize_i16 => tag::I16;
        deserialize_i32 => tag::I32;
        deserialize_i64 => tag::I64;
        deserialize_i128 => tag::I128;
        deserialize_u8 => tag::U8;
        deserialize_u16 => tag::U16;
        deserialize_u32 => tag::U32;
        deserialize_u64 => tag::U64;
        deserialize_u128 => tag::U128;
        deserialize_f32 => tag::F32;
        deserialize_f64 => tag::F64;
        deserialize_char => tag::CHAR;
        deserialize_str => tag::STR;
        deserialize_string => asked::STRING;
        deserialize_bytes => tag::BYTES;
        deserialize_byte_buf => asked::BYTE_BUF;
        deserialize_unit => tag::UNIT;
        deserialize_seq => tag::SEQ;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.trace.kind(asked::ANYTHING);
        self.trace.blind();
        self.visit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.trace.kind(asked::IGNORED);
        self.trace.blind();
        self.visit(visitor)
    }

    // The key of a map whose fields only the type knows: a flattened one.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.trace.kind(asked::IDENTIFIER);
        self.trace.blind();
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.trace.kind(asked::OPTION);
        match self.next_tag() {
            Some(tag::NONE | tag::SOME) | None => self.visit(visitor),
            // Written by hand, as its content alone.
            Some(_) => self.nested(|reader| visitor.visit_some(reader)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.trace.list(asked::UNIT_STRUCT, name, &[]);
        self.visit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.trace.list(asked::NEWTYPE_STRUCT, name, &[]);
        self.nested(|reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.trace.tuple(tag::TUPLE, elements);
        self.visit(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.trace.list(asked::TUPLE_STRUCT, name, &[]);
        self.deserialize_tuple(elements, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.trace.kind(tag::MAP);
        if self.next_tag() != Some(tag::MAP) {
            // Its keys are names, which the type does not ask for here.
            self.trace.blind();
        }
        self.visit(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.trace.list(tag::STRUCT, name, fields);
        self.visit(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.trace.list(asked::ENUM, name, variants);
        self.nested(|reader| visitor.visit_enum(Variant::new(reader)?))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
