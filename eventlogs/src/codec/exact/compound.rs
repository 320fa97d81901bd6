//! The parts of a value that is being written: elements, entries and fields.

use crate::codec::exact::context::{Context, Format, Within};
use crate::codec::exact::value::Exact;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use std::marker::PhantomData;

/// Passes the parts to the format's own serialiser, each within a guard.
pub(super) struct Compound<C, F> {
    inner: C,
    /// The context of the parts, without the name of a field.
    context: Context,
    format: PhantomData<F>,
}

impl<C, F> Compound<C, F> {
    /// Makes the writer for the parts of a value in this context.
    #[inline]
    pub(super) const fn new(inner: C, context: Context) -> Self {
        Self {
            inner,
            context: context.within(Within::Value),
            format: PhantomData,
        }
    }

    /// Makes the writer for a text that the format's library writes verbatim, and disguises as the field of a struct.
    #[inline]
    pub(super) const fn verbatim(inner: C, context: Context) -> Self {
        let within = match context.within {
            Within::Some => Within::SomeVerbatim,
            _ => Within::Value,
        };
        Self {
            inner,
            context: context.within(within),
            format: PhantomData,
        }
    }

    #[inline]
    const fn part<'a, T: ?Sized>(&self, value: &'a T) -> Exact<'a, T, F> {
        Exact::new(value, self.context)
    }

    #[inline]
    const fn field<'a, T: ?Sized>(&self, name: &'static str, value: &'a T) -> Exact<'a, T, F> {
        let field = match self.context.within {
            Within::SomeVerbatim => self.context.field,
            _ => name,
        };
        Exact::new(
            value,
            Context {
                field,
                ..self.context
            },
        )
    }

    #[inline]
    const fn key<'a, T: ?Sized>(&self, key: &'a T) -> Exact<'a, T, F> {
        Exact::new(key, self.context.within(Within::Key))
    }
}

/// Implements the traits for parts without names.
macro_rules! elements {
    ($($trait:ident::$method:ident)*) => {
        $(
            impl<C: $trait, F: Format> $trait for Compound<C, F> {
                type Ok = C::Ok;
                type Error = C::Error;

                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                    let value = self.part(value);
                    self.inner.$method(&value)
                }

                #[inline]
                fn end(self) -> Result<C::Ok, C::Error> {
                    self.inner.end()
                }
            }
        )*
    };
}

elements! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

/// Implements the traits for parts with names.
macro_rules! fields {
    ($($trait:ident)*) => {
        $(
            impl<C: $trait, F: Format> $trait for Compound<C, F> {
                type Ok = C::Ok;
                type Error = C::Error;

                #[inline]
                fn serialize_field<T: Serialize + ?Sized>(
                    &mut self,
                    name: &'static str,
                    value: &T,
                ) -> Result<(), C::Error> {
                    let value = self.field(name, value);
                    self.inner.serialize_field(name, &value)
                }

                #[inline]
                fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                    self.inner.skip_field(name)
                }

                #[inline]
                fn end(self) -> Result<C::Ok, C::Error> {
                    self.inner.end()
                }
            }
        )*
    };
}

fields!(SerializeStruct SerializeStructVariant);

impl<C: SerializeMap, F: Format> SerializeMap for Compound<C, F> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let key = self.key(key);
        self.inner.serialize_key(&key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.part(value);
        self.inner.serialize_value(&value)
    }

    #[inline]
    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), C::Error> {
        let (key, value) = (self.key(key), self.part(value));
        self.inner.serialize_entry(&key, &value)
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
