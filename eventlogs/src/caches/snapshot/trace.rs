//! Records what types ask for while they read.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash of everything that was asked for, in order, which is the same on every platform and in every release.
#[derive(Default)]
pub(super) struct Trace {
    hash: u64,
    /// The hashes of lists of names, by their addresses. The lists are `'static`, so an address identifies a list; a state may
    /// hold thousands of values of one type.
    lists: HashMap<[usize; 4], u64, BuildHasherDefault<PlaceHasher>>,
    /// `true` if a value was asked for without its kind.
    blind: bool,
}

impl Trace {
    /// Records that a kind of value was asked for.
    pub(super) fn kind(&mut self, kind: u8) {
        self.hash = mixed(self.hash, u64::from(kind));
    }

    /// Records that this many values in a row were asked for.
    pub(super) fn tuple(&mut self, kind: u8, elements: usize) {
        self.kind(kind);
        self.hash = mixed(self.hash, elements as u64);
    }

    /// Records that a named kind of value was asked for, with these parts.
    pub(super) fn list(&mut self, kind: u8, name: &'static str, parts: &'static [&'static str]) {
        let place = [
            name.as_ptr().addr(),
            name.len(),
            parts.as_ptr().addr(),
            parts.len(),
        ];
        let hash = *self.lists.entry(place).or_insert_with(|| {
            parts.iter().fold(hash_of(name.as_bytes()), |hash, part| {
                mixed(hash, hash_of(part.as_bytes()))
            })
        });
        self.kind(kind);
        self.hash = mixed(self.hash, hash);
    }

    /// Records that a value was asked for without its kind, so that changes in it may go unnoticed here.
    pub(super) fn blind(&mut self) {
        self.blind = true;
    }

    pub(super) const fn is_blind(&self) -> bool {
        self.blind
    }

    pub(super) const fn shape(&self) -> u64 {
        self.hash
    }
}

/// Adds a number to a hash: every bit of both counts, and so does the order.
pub(super) const fn mixed(hash: u64, number: u64) -> u64 {
    // The steps of SplitMix64.
    let mut mixed = hash.rotate_left(5) ^ number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The hash of bytes, eight at a time.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| {
        mixed(hash, u64::from_le_bytes(*word))
    });
    rest.iter()
        .fold(hash, |hash, byte| mixed(hash, u64::from(*byte)))
}

/// Hashes addresses in memory, which no attacker chooses.
#[derive(Default)]
pub(super) struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = mixed(self.0, hash_of(bytes));
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = mixed(self.0, number as u64);
    }
}
