//! Where a value stands, and what is refused there.

use serde::ser::Error;
use std::fmt::Display;

/// What a format writes as null beside `None` and `()`.
pub(super) trait Format {
    /// A struct without fields.
    const UNIT_STRUCT: bool;
    /// A number that is not finite.
    const NOT_FINITE: bool;
    /// The beginning of names by which the library behind the format passes values of its own off as maps.
    const RESERVED: Option<&'static str>;
}

/// JSON, as `serde_json` writes it.
pub(super) struct AsJson;

impl Format for AsJson {
    const UNIT_STRUCT: bool = true;
    const NOT_FINITE: bool = true;
    const RESERVED: Option<&'static str> = Some("$serde_json::private::");
}

/// MessagePack, as `rmp_serde` writes it: a struct without fields is an empty array.
pub(super) struct AsMsgPack;

impl Format for AsMsgPack {
    const UNIT_STRUCT: bool = false;
    const NOT_FINITE: bool = false;
    const RESERVED: Option<&'static str> = None;
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// The field that it belongs to, for the message; empty outside of structs.
    pub(super) field: &'static str,
    /// What it stands in.
    pub(super) within: Within,
}

/// What a value stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Anything else.
    Value,
    /// `Some`, with nothing in between that is written.
    Some,
    /// The same, and it is the text of a value that the library behind the format writes as it is.
    SomeVerbatim,
    /// The key of a map.
    Key,
}

impl Context {
    /// Nothing is around it.
    pub(super) const TOP: Self = Self {
        field: "",
        within: Within::Value,
    };

    pub(super) const fn within(self, within: Within) -> Self {
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
    pub(super) fn allow_null<E: Error>(self) -> Result<(), E> {
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
    pub(super) fn allow_number<F: Format, E: Error>(
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
    pub(super) fn allow_text<F: Format, E: Error>(self, text: &str) -> Result<(), E> {
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
