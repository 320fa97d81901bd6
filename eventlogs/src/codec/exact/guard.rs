//! The serialiser that wraps a format's own.

use crate::codec::exact::compound::Compound;
use crate::codec::exact::context::{Context, Format, Within};
use crate::codec::exact::value::Exact;
use serde::ser::{Serialize, Serializer};
use std::fmt::Display;
use std::marker::PhantomData;

/// A serialiser that passes on the values that the format reads back unchanged, and refuses the others.
pub(super) struct Guard<S, F> {
    inner: S,
    context: Context,
    format: PhantomData<F>,
}

impl<S, F> Guard<S, F> {
    #[inline]
    pub(super) const fn new(inner: S, context: Context) -> Self {
        Self {
            inner,
            context,
            format: PhantomData,
        }
    }

    /// Makes the writer for the parts of a value.
    #[inline]
    const fn part<C>(context: Context, inner: C) -> Compound<C, F> {
        Compound::new(inner, context)
    }
}

impl<T: Serialize + ?Sized, F: Format> Serialize for Exact<'_, T, F> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value
            .serialize(Guard::<S, F>::new(serializer, self.context))
    }
}

/// Methods that pass a value on as it is.
macro_rules! pass_on {
    ($($method:ident($type:ty))*) => {
        $(
            #[inline]
            fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
                self.inner.$method(value)
            }
        )*
    };
}

impl<S: Serializer, F: Format> Serializer for Guard<S, F> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<S::SerializeSeq, F>;
    type SerializeTuple = Compound<S::SerializeTuple, F>;
    type SerializeTupleStruct = Compound<S::SerializeTupleStruct, F>;
    type SerializeTupleVariant = Compound<S::SerializeTupleVariant, F>;
    type SerializeMap = Compound<S::SerializeMap, F>;
    type SerializeStruct = Compound<S::SerializeStruct, F>;
    type SerializeStructVariant = Compound<S::SerializeStructVariant, F>;

    pass_on! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128) serialize_char(char)
        serialize_bytes(&[u8])
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    #[inline]
    fn serialize_f32(self, number: f32) -> Result<S::Ok, S::Error> {
        self.context
            .allow_number::<F, _>(number.is_finite(), number)?;
        self.inner.serialize_f32(number)
    }

    #[inline]
    fn serialize_f64(self, number: f64) -> Result<S::Ok, S::Error> {
        self.context
            .allow_number::<F, _>(number.is_finite(), number)?;
        self.inner.serialize_f64(number)
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        self.context.allow_text::<F, _>(text)?;
        self.inner.serialize_str(text)
    }

    #[inline]
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        if F::RESERVED.is_some() && self.context.within == Within::Key {
            return self.serialize_str(&value.to_string());
        }
        self.inner.collect_str(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.context.allow_null()?;
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let context = self.context.within(Within::Some);
        self.inner
            .serialize_some(&Exact::<T, F>::new(value, context))
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.context.allow_null()?;
        self.inner.serialize_unit()
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        if F::UNIT_STRUCT {
            self.context.allow_null()?;
        }
        self.inner.serialize_unit_struct(name)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // Only its content is written, so the content gets its context.
        let value = Exact::<T, F>::new(value, self.context);
        self.inner.serialize_newtype_struct(name, &value)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Exact::<T, F>::new(value, self.context.within(Within::Value));
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let Self { inner, context, .. } = self;
        Ok(Self::part(context, inner.serialize_seq(len)?))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let Self { inner, context, .. } = self;
        Ok(Self::part(context, inner.serialize_tuple(len)?))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let Self { inner, context, .. } = self;
        Ok(Self::part(
            context,
            inner.serialize_tuple_struct(name, len)?,
        ))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let Self { inner, context, .. } = self;
        let inner = inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Self::part(context, inner))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let Self { inner, context, .. } = self;
        Ok(Self::part(context, inner.serialize_map(len)?))
    }

    #[inline]
    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let Self { inner, context, .. } = self;
        // A value of the library itself: a number or a text of JSON that is written verbatim. The text may be null.
        if F::RESERVED.is_some_and(|reserved| name.starts_with(reserved)) {
            return Ok(Compound::verbatim(
                inner.serialize_struct(name, len)?,
                context,
            ));
        }
        Ok(Self::part(context, inner.serialize_struct(name, len)?))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let Self { inner, context, .. } = self;
        let inner = inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Self::part(context, inner))
    }
}
