//! The constants of the format, and its error.

use std::fmt;

/// How deep values may be nested. A thread has stack for this many levels of the code that derives generate; bytes that another
/// process has written must not end this process.
pub(super) const DEPTH: usize = 256;

/// The tag before each value.
pub(super) mod tag {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const SOME: u8 = 1;
    pub(crate) const UNIT: u8 = 2;
    pub(crate) const FALSE: u8 = 3;
    pub(crate) const TRUE: u8 = 4;
    pub(crate) const I8: u8 = 5;
    pub(crate) const I16: u8 = 6;
    pub(crate) const I32: u8 = 7;
    pub(crate) const I64: u8 = 8;
    pub(crate) const I128: u8 = 9;
    pub(crate) const U8: u8 = 10;
    pub(crate) const U16: u8 = 11;
    pub(crate) const U32: u8 = 12;
    pub(crate) const U64: u8 = 13;
    pub(crate) const U128: u8 = 14;
    pub(crate) const F32: u8 = 15;
    pub(crate) const F64: u8 = 16;
    pub(crate) const CHAR: u8 = 17;
    pub(crate) const STR: u8 = 18;
    pub(crate) const BYTES: u8 = 19;
    pub(crate) const SEQ: u8 = 20;
    pub(crate) const TUPLE: u8 = 21;
    pub(crate) const MAP: u8 = 22;
    pub(crate) const STRUCT: u8 = 23;
    pub(crate) const UNIT_VARIANT: u8 = 24;
    pub(crate) const NEWTYPE_VARIANT: u8 = 25;
    pub(crate) const TUPLE_VARIANT: u8 = 26;
    pub(crate) const STRUCT_VARIANT: u8 = 27;
}

/// An error from serde or from a type, or bytes that are not as they should be.
#[derive(Debug)]
pub(crate) struct Problem(Box<str>);

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl serde::ser::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

impl serde::de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}
