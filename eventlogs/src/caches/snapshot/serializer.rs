//! Writes a value as its type serialises it.

use crate::caches::snapshot::format::{Problem, tag};
use crate::caches::snapshot::parts::Parts;
use crate::caches::snapshot::writer::Writer;
use serde::ser::{Serialize, Serializer};

/// The bytes of a value.
pub(super) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, Problem> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    Ok(writer.bytes)
}

impl Writer {
    fn inner<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        self.descend()?;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    /// Begins a value of several parts. Their number is written when it is known.
    fn parts(&mut self) -> Result<Parts<'_>, Problem> {
        self.descend()?;
        Ok(Parts::new(self))
    }
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Problem;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Problem> {
        self.tag(if value { tag::TRUE } else { tag::FALSE });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Problem> {
        self.signed(tag::I8, value.into());
        Ok(())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Problem> {
        self.signed(tag::I16, value.into());
        Ok(())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Problem> {
        self.signed(tag::I32, value.into());
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Problem> {
        self.signed(tag::I64, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Problem> {
        self.tag(tag::I128);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Problem> {
        self.unsigned(tag::U8, value.into());
        Ok(())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Problem> {
        self.unsigned(tag::U16, value.into());
        Ok(())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Problem> {
        self.unsigned(tag::U32, value.into());
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Problem> {
        self.unsigned(tag::U64, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Problem> {
        self.tag(tag::U128);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Problem> {
        self.tag(tag::F32);
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Problem> {
        self.tag(tag::F64);
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Problem> {
        self.unsigned(tag::CHAR, u32::from(value).into());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Problem> {
        self.bytes(tag::STR, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Problem> {
        self.bytes(tag::BYTES, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Problem> {
        self.tag(tag::NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Problem> {
        self.tag(tag::SOME);
        self.inner(value)
    }

    fn serialize_unit(self) -> Result<(), Problem> {
        self.tag(tag::UNIT);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Problem> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Problem> {
        self.tag(tag::UNIT_VARIANT);
        self.name(variant);
        Ok(())
    }

    // The content of a newtype is written as it is: its type knows that it is a newtype, and untagged types look for the
    // content.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        self.inner(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        self.tag(tag::NEWTYPE_VARIANT);
        self.name(variant);
        self.inner(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Problem> {
        self.tag(tag::SEQ);
        self.parts()
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Problem> {
        self.tag(tag::TUPLE);
        self.parts()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Problem> {
        self.tag(tag::TUPLE);
        self.parts()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Problem> {
        self.tag(tag::TUPLE_VARIANT);
        self.name(variant);
        self.parts()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Problem> {
        self.tag(tag::MAP);
        self.parts()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Problem> {
        self.tag(tag::STRUCT);
        self.parts()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Problem> {
        self.tag(tag::STRUCT_VARIANT);
        self.name(variant);
        self.parts()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
