//! Writes values that have parts.

use crate::caches::snapshot::format::Problem;
use crate::caches::snapshot::writer::Writer;
use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

/// The elements of a sequence, the entries of a map, or the fields of a struct.
pub(super) struct Parts<'a> {
    writer: &'a mut Writer,
    /// The offset of their number.
    start: usize,
    count: u32,
}

impl<'a> Parts<'a> {
    pub(super) fn new(writer: &'a mut Writer) -> Self {
        let start = writer.bytes.len();
        writer.bytes.extend_from_slice(&[0; 4]);
        Self {
            writer,
            start,
            count: 0,
        }
    }

    fn count(&mut self) -> Result<(), Problem> {
        self.count = self
            .count
            .checked_add(1)
            .ok_or_else(|| Problem::custom("it has more parts than can be counted"))?;
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        self.count()?;
        self.writer.name(name);
        value.serialize(&mut *self.writer)
    }

    fn finish(self) {
        let count = self.count.to_le_bytes();
        if let Some(place) = self.writer.bytes.get_mut(self.start..self.start + 4) {
            place.copy_from_slice(&count);
        }
        self.writer.depth -= 1;
    }
}

/// Everything that has elements is written in the same way.
macro_rules! elements {
    ($($interface:ident, $method:ident;)*) => {$(
        impl $interface for Parts<'_> {
            type Ok = ();
            type Error = Problem;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
                self.count()?;
                value.serialize(&mut *self.writer)
            }

            fn end(self) -> Result<(), Problem> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

/// Everything that has fields is written in the same way.
macro_rules! fields {
    ($($interface:ident;)*) => {$(
        impl $interface for Parts<'_> {
            type Ok = ();
            type Error = Problem;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Problem> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Problem> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Problem;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Problem> {
        self.count()?;
        key.serialize(&mut *self.writer)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Problem> {
        self.finish();
        Ok(())
    }
}
