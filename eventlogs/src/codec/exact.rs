//! Refuses what a format would bring back as something else.
//!
//! Formats write `None` as null, and some write other values as null, too. Within a `Some` such a value is read as `None`,
//! and nobody notices. So the codecs of this crate do not write a value themselves: they have it written through a serialiser
//! that passes everything on, and knows whether it stands right within a `Some`. It is inlined away but for that.

mod compound;

use compound::Compound;
use serde::ser::{Error, Serialize, Serializer};
use std::fmt::Display;
use std::marker::PhantomData;

/// The value, refused wherever JSON would bring it back as something else: for a codec of your own that is made of JSON.
///
/// What is refused is listed at [`Codec`](super::Codec#what-cannot-be-stored).
///
/// ```
/// use eventlogs::codec::exact_in_json;
///
/// let written = serde_json::to_string(&exact_in_json(&Some(Some(5))));
/// assert_eq!(written.ok().as_deref(), Some("5"));
/// assert!(serde_json::to_string(&exact_in_json(&Some(None::<u8>))).is_err());
/// assert!(serde_json::to_string(&exact_in_json(&[0.5, f64::NAN])).is_err());
/// ```
#[must_use = "it is written by giving it to a serialiser"]
pub fn exact_in_json<T: Serialize + ?Sized>(value: &T) -> impl Serialize {
    Exact::<T, AsJson>::new(value, Place::TOP)
}

/// The value, refused wherever MessagePack would bring it back as something else: for a codec of your own that is made of
/// MessagePack, or of another format that writes `()` and `None` alike and knows every floating-point number.
///
/// What is refused is listed at [`Codec`](super::Codec#what-cannot-be-stored).
///
/// ```
/// use eventlogs::codec::exact_in_msgpack;
///
/// // Any serialiser shows it; this one is at hand.
/// assert!(serde_json::to_string(&exact_in_msgpack(&Some(Some(5)))).is_ok());
/// assert!(serde_json::to_string(&exact_in_msgpack(&Some(None::<u8>))).is_err());
/// ```
#[must_use = "it is written by giving it to a serialiser"]
pub fn exact_in_msgpack<T: Serialize + ?Sized>(value: &T) -> impl Serialize {
    Exact::<T, AsMsgPack>::new(value, Place::TOP)
}

/// What a format writes as null beside `None` and `()`.
trait Format {
    /// A struct without fields.
    const UNIT_STRUCT: bool;
    /// A number that is not finite.
    const NOT_FINITE: bool;
    /// The beginning of names by which the library behind the format passes values of its own off as maps.
    const RESERVED: Option<&'static str>;
}

/// JSON, as `serde_json` writes it.
struct AsJson;

impl Format for AsJson {
    const UNIT_STRUCT: bool = true;
    const NOT_FINITE: bool = true;
    const RESERVED: Option<&'static str> = Some("$serde_json::private::");
}

/// MessagePack, as `rmp_serde` writes it: a struct without fields is an empty array.
struct AsMsgPack;

impl Format for AsMsgPack {
    const UNIT_STRUCT: bool = false;
    const NOT_FINITE: bool = false;
    const RESERVED: Option<&'static str> = None;
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place {
    /// The field that it belongs to, for the message; empty outside of structs.
    field: &'static str,
    /// What it stands in.
    within: Within,
}

/// What a value stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Anything else.
    Value,
    /// `Some`, with nothing in between that is written.
    Some,
    /// The same, and it is the text of a value that the library behind the format writes as it is.
    SomeVerbatim,
    /// The key of a map.
    Key,
}

impl Place {
    /// Nothing is around it.
    const TOP: Self = Self {
        field: "",
        within: Within::Value,
    };

    const fn within(self, within: Within) -> Self {
        Self { within, ..self }
    }

    /// Says what is wrong here.
    #[cold]
    fn refused<E: Error>(self, what: impl Display) -> E {
        match self.field {
            "" => E::custom(what),
            field => E::custom(format_args!("in the field `{field}`, {what}")),
        }
    }

    /// Refuses a value that is written as null, if it stands in a `Some`.
    #[inline]
    fn allow_null<E: Error>(self) -> Result<(), E> {
        if self.within == Within::Some {
            return Err(self.refused(
                "a `Some` holds a value that is written as null and would be read as `None`; use an enum with a variant for \
                 each case, or write the field with functions of your own (`#[serde(with = …)]`)",
            ));
        }
        Ok(())
    }

    /// Refuses a number that the format does not have.
    #[inline]
    fn allow_number<F: Format, E: Error>(
        self,
        is_finite: bool,
        number: impl Display,
    ) -> Result<(), E> {
        if F::NOT_FINITE && !is_finite {
            return Err(self.refused(format_args!(
                "the number {number} is not one that the format has; use an enum or an `Option` without it, another codec, or \
                 write the field with functions of your own (`#[serde(with = …)]`)"
            )));
        }
        Ok(())
    }

    /// Refuses a key of a map that the library behind the format takes for one of its own, and null in its words.
    #[inline]
    fn allow_text<F: Format, E: Error>(self, text: &str) -> Result<(), E> {
        match (self.within, F::RESERVED) {
            (Within::Key, Some(reserved)) if text.starts_with(reserved) => {
                Err(self.refused(format_args!(
                    "a map has the key `{text}`; such keys belong to the library that writes the format, so choose another"
                )))
            }
            (Within::SomeVerbatim, _) if text == "null" => self.within(Within::Some).allow_null(),
            _ => Ok(()),
        }
    }
}

/// A value that writes itself through a [`Guard`].
struct Exact<'a, T: ?Sized, F> {
    value: &'a T,
    place: Place,
    format: PhantomData<F>,
}

impl<'a, T: ?Sized, F> Exact<'a, T, F> {
    #[inline]
    const fn new(value: &'a T, place: Place) -> Self {
        Self {
            value,
            place,
            format: PhantomData,
        }
    }
}

impl<T: Serialize + ?Sized, F: Format> Serialize for Exact<'_, T, F> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Guard {
            inner: serializer,
            place: self.place,
            format: PhantomData::<F>,
        })
    }
}

/// A serialiser that passes on what the format brings back.
struct Guard<S, F> {
    inner: S,
    place: Place,
    format: PhantomData<F>,
}

impl<S, F> Guard<S, F> {
    /// A part of what is being written.
    #[inline]
    const fn part<C>(place: Place, inner: C) -> Compound<C, F> {
        Compound::new(inner, place)
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
        self.place
            .allow_number::<F, _>(number.is_finite(), number)?;
        self.inner.serialize_f32(number)
    }

    #[inline]
    fn serialize_f64(self, number: f64) -> Result<S::Ok, S::Error> {
        self.place
            .allow_number::<F, _>(number.is_finite(), number)?;
        self.inner.serialize_f64(number)
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        self.place.allow_text::<F, _>(text)?;
        self.inner.serialize_str(text)
    }

    #[inline]
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        if F::RESERVED.is_some() && self.place.within == Within::Key {
            return self.serialize_str(&value.to_string());
        }
        self.inner.collect_str(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.place.allow_null()?;
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let place = self.place.within(Within::Some);
        self.inner.serialize_some(&Exact::<T, F>::new(value, place))
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.place.allow_null()?;
        self.inner.serialize_unit()
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        if F::UNIT_STRUCT {
            self.place.allow_null()?;
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
        // It is written as what it holds, so it stands where its content does.
        let value = Exact::<T, F>::new(value, self.place);
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
        let value = Exact::<T, F>::new(value, self.place.within(Within::Value));
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let Self { inner, place, .. } = self;
        Ok(Self::part(place, inner.serialize_seq(len)?))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let Self { inner, place, .. } = self;
        Ok(Self::part(place, inner.serialize_tuple(len)?))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let Self { inner, place, .. } = self;
        Ok(Self::part(place, inner.serialize_tuple_struct(name, len)?))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let Self { inner, place, .. } = self;
        let inner = inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Self::part(place, inner))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let Self { inner, place, .. } = self;
        Ok(Self::part(place, inner.serialize_map(len)?))
    }

    #[inline]
    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let Self { inner, place, .. } = self;
        // The library's own: a number or a text of JSON that is written as it is. The text may be null.
        if F::RESERVED.is_some_and(|reserved| name.starts_with(reserved)) {
            return Ok(Compound::verbatim(
                inner.serialize_struct(name, len)?,
                place,
            ));
        }
        Ok(Self::part(place, inner.serialize_struct(name, len)?))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let Self { inner, place, .. } = self;
        let inner = inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Self::part(place, inner))
    }
}
