//! Reads the pieces of an encoded value.

use crate::caches::snapshot::format::{DEPTH, Problem};
use crate::caches::snapshot::trace::Trace;
use serde::de::Error;

/// Reads from the front. Any bytes are safe to read: at worst, the result is a [`Problem`].
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    /// The names that were read so far.
    names: Vec<&'de str>,
    /// The nesting depth of the value that is being read.
    depth: usize,
    /// The record of what was asked for so far.
    pub(super) trace: Trace,
}

impl<'de> Reader<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            rest: bytes,
            names: Vec::new(),
            depth: 0,
            trace: Trace::default(),
        }
    }

    /// The record of what was asked for, if everything was read.
    pub(super) fn finish(self) -> Result<Trace, Problem> {
        if self.rest.is_empty() {
            Ok(self.trace)
        } else {
            Err(Problem::custom("there are more bytes than the type reads"))
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'de [u8], Problem> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn tag(&mut self) -> Result<u8, Problem> {
        let [tag] = self.array()?;
        Ok(tag)
    }

    pub(super) fn next_tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn number(&mut self) -> Result<u64, Problem> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Problem::custom("a number is too great"))
    }

    pub(super) fn unsigned<T: TryFrom<u64>>(&mut self) -> Result<T, Problem> {
        T::try_from(self.number()?).map_err(|_| Problem::custom("a number is too great"))
    }

    pub(super) fn signed<T: TryFrom<i64>>(&mut self) -> Result<T, Problem> {
        let number = self.number()?;
        let number = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
        T::try_from(number).map_err(|_| Problem::custom("a number is too great"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'de [u8], Problem> {
        let length = self.unsigned()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'de str, Problem> {
        std::str::from_utf8(self.bytes()?).map_err(Problem::custom)
    }

    pub(super) fn character(&mut self) -> Result<char, Problem> {
        char::from_u32(self.unsigned()?).ok_or_else(|| Problem::custom("a character is invalid"))
    }

    pub(super) fn name(&mut self) -> Result<&'de str, Problem> {
        let number: usize = self.unsigned()?;
        let Some(known) = number.checked_sub(1) else {
            let name = self.text()?;
            self.names.push(name);
            return Ok(name);
        };
        let name = self.names.get(known).copied();
        name.ok_or_else(|| Problem::custom("a name refers to one that was not read before"))
    }

    /// The number of parts that follow. Each part takes at least one byte, so no type is made to reserve room for more.
    pub(super) fn parts(&mut self) -> Result<usize, Problem> {
        let parts = u32::from_le_bytes(self.array()?) as usize;
        if parts > self.rest.len() {
            return Err(too_short());
        }
        Ok(parts)
    }

    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Problem::custom(format_args!(
                "it is nested more than {DEPTH} levels deep"
            )));
        }
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }
}

pub(super) fn too_short() -> Problem {
    Problem::custom("there are fewer bytes than the type reads")
}
