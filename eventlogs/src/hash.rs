//! FNV-1a, the only hash whose values are stored. It is the same in every release and on every platform.
//!
//! The constants are those of Fowler, Noll and Vo (<http://www.isthe.com/chongo/tech/comp/fnv/>, also RFC 9923). Numbers of
//! kinds, fingerprints in Redis keys and checksums of cache entries depend on it, so it must never change. It protects against
//! accidents, not against attacks: it is easy to construct two inputs with the same hash.

/// The 32-bit hash of no bytes.
const OFFSET_32: u32 = 0x811c_9dc5;
/// The prime of the 32-bit hash: 2²⁴ + 2⁸ + 0x93.
const PRIME_32: u32 = 0x0100_0193;
/// The 64-bit hash of no bytes.
const OFFSET_64: u64 = 0xcbf2_9ce4_8422_2325;
/// The prime of the 64-bit hash: 2⁴⁰ + 2⁸ + 0xb3.
const PRIME_64: u64 = 0x0100_0000_01b3;

/// Returns the 32-bit hash of these bytes.
pub(crate) const fn fnv1a_32(bytes: &[u8]) -> u32 {
    let mut hash = OFFSET_32;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u32).wrapping_mul(PRIME_32);
        index += 1;
    }
    hash
}

/// A 64-bit hash that takes its bytes in pieces. The division into pieces makes no difference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv1a64(u64);

impl Fnv1a64 {
    /// The hash of no bytes.
    pub(crate) const EMPTY: Self = Self(OFFSET_64);

    /// Adds these bytes to the hash.
    #[must_use]
    pub(crate) const fn with(self, bytes: &[u8]) -> Self {
        let mut hash = self.0;
        let mut index = 0;
        while index < bytes.len() {
            hash = (hash ^ bytes[index] as u64).wrapping_mul(PRIME_64);
            index += 1;
        }
        Self(hash)
    }

    /// Returns the hash as a number.
    pub(crate) const fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Fnv1a64, fnv1a_32};

    #[test]
    fn the_hashes_are_those_of_the_published_test_vectors() {
        assert_eq!(fnv1a_32(b""), 0x811c_9dc5);
        assert_eq!(fnv1a_32(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a_32(b"foobar"), 0xbf9c_f968);
        let hash = |bytes| Fnv1a64::EMPTY.with(bytes).finish();
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn pieces_are_hashed_like_the_whole() {
        let pieces = Fnv1a64::EMPTY.with(b"foo").with(b"").with(b"bar");
        assert_eq!(pieces.finish(), Fnv1a64::EMPTY.with(b"foobar").finish());
    }
}
