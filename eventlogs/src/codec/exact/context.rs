//! The context of a value, and the values that are refused in it.

use serde::ser::Error;
use std::fmt::Display;

/// The values that a format writes as null in addition to `None` and `()`, and the names that it reserves.
pub(super) trait Format {
    /// `true` if it writes a struct without fields as null.
    const UNIT_STRUCT: bool;
    /// `true` if it writes a number that is not finite as null.
    const NOT_FINITE: bool;
    /// The prefix of the names with which the format's library disguises its own values as maps.
    const RESERVED: Option<&'static str>;
}

/// JSON as `serde_json` writes it.
pub(super) struct AsJson;

impl Format for AsJson {
    const UNIT_STRUCT: bool = true;
    const NOT_FINITE: bool = true;
    const RESERVED: Option<&'static str> = Some("$serde_json::private::");
}

/// MessagePack as `rmp_serde` writes it: a struct without fields is an empty array.
pub(super) struct AsMsgPack;

impl Format for AsMsgPack {
    const UNIT_STRUCT: bool = false;
    const NOT_FINITE: bool = false;
    const RESERVED: Option<&'static str> = None;
}

/// The context of a value.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// The field that the value belongs to, for the message; empty outside structs.
    pub(super) field: &'static str,
    /// The thing that directly contains the value.
    pub(super) within: Within,
}

/// The thing that directly contains a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Anything else.
    Value,
    /// A `Some`, with nothing in between that is written.
    Some,
    /// A `Some`, if the value is a text that the format's library writes verbatim.
    SomeVerbatim,
    /// The key of a map.
    Key,
}

impl Context {
    /// The context of the outermost value.
    pub(super) const TOP: Self = Self {
        field: "",
        within: Within::Value,
    };

    pub(super) const fn within(self, within: Within) -> Self {
        Self { within, ..self }
    }

    /// Makes the error for a refused value.
    #[cold]
    fn refused<E: Error>(self, what: impl Display) -> E {
        match self.field {
            "" => E::custom(what),
            field => E::custom(format_args!("in the field `{field}`, {what}")),
        }
    }

    /// Refuses a value that is written as null if it is in a `Some`.
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
                "the format cannot represent the number {number}; use an enum or an `Option` in its place, use another \
                 codec, or write the field with functions of your own (`#[serde(with = …)]`)"
            )));
        }
        Ok(())
    }

    /// Refuses a key of a map that the format's library takes for one of its own, and a verbatim null.
    #[inline]
    pub(super) fn allow_text<F: Format, E: Error>(self, text: &str) -> Result<(), E> {
        match (self.within, F::RESERVED) {
            (Within::Key, Some(reserved)) if text.starts_with(reserved) => {
                Err(self.refused(format_args!(
                    "a map has the key `{text}`, which is reserved by the library that writes the format; choose another key"
                )))
            }
            (Within::SomeVerbatim, _) if text == "null" => self.within(Within::Some).allow_null(),
            _ => Ok(()),
        }
    }
}
