//! Writes the pieces of a value.

use crate::caches::snapshot::format::{DEPTH, Problem};
use crate::caches::snapshot::trace::PlaceHasher;
use serde::ser::Error;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

#[derive(Default)]
pub(super) struct Writer {
    /// The bytes that were written so far.
    pub(super) bytes: Vec<u8>,
    /// The numbers of the names that were written, by their addresses: each name is written once.
    names: HashMap<[usize; 2], u64, BuildHasherDefault<PlaceHasher>>,
    /// The nesting depth of the value that is being written.
    pub(super) depth: usize,
}

impl Writer {
    pub(super) fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// Writes seven bits per byte, the lowest first.
    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.bytes.push(low & 0x7f);
            }
            self.bytes.push(low | 0x80);
        }
    }

    pub(super) fn unsigned(&mut self, tag: u8, number: u64) {
        self.tag(tag);
        self.number(number);
    }

    /// The sign becomes the lowest bit, so that numbers near zero are short.
    pub(super) fn signed(&mut self, tag: u8, number: i64) {
        self.unsigned(tag, ((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    pub(super) fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.tag(tag);
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn name(&mut self, name: &'static str) {
        let next = self.names.len() as u64 + 1;
        let place = [name.as_ptr().addr(), name.len()];
        let number = *self.names.entry(place).or_insert(next);
        if number < next {
            return self.number(number);
        }
        self.number(0);
        self.number(name.len() as u64);
        self.bytes.extend_from_slice(name.as_bytes());
    }

    pub(super) fn descend(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Problem::custom(format_args!(
                "it is nested more than {DEPTH} levels deep"
            )));
        }
        Ok(())
    }
}
