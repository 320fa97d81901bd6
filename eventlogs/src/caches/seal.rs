//! The seal of an entry: a checksum against accidents, or an authentication code that only holders of a key can make.

use crate::hash::Fnv1a64;
use hmac::digest::Output;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A secret that seals entries, see [`RedisCacheOptions::mac_keys`](crate::RedisCacheOptions::mac_keys).
///
/// It consists of 32 bytes that cannot be guessed: take them from a random generator, and keep them in a store of secrets.
/// `Debug` does not show them.
///
/// ```
/// use eventlogs::MacKey;
///
/// # let secret = [7; 32];
/// let key = MacKey::new(secret);
/// assert_eq!(format!("{key:?}"), "MacKey(…)");
/// ```
#[derive(Clone)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// Creates a key from these bytes.
    #[must_use]
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Begins an HMAC with the key. HMAC pads a key with zeros to a block of the hash, and so does this.
    fn begin(&self) -> Hmac<Sha256> {
        let mut block = [0; 64];
        let (key, _) = block.split_at_mut(self.0.len());
        key.copy_from_slice(&self.0);
        Hmac::new(&block.into())
    }
}

impl PartialEq for MacKey {
    /// Takes the same time wherever the keys differ.
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        pairs.fold(0, |all, (one, other)| all | (one ^ other)) == 0
    }
}

impl Eq for MacKey {}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MacKey(…)")
    }
}

/// How entries are sealed, and which seals are accepted.
pub(in crate::caches) struct Sealing {
    /// Entries are sealed with the first key, or with a checksum if there are no keys. These are begun HMACs, so that each key
    /// is processed only once.
    keys: Vec<Hmac<Sha256>>,
}

/// The seal of an entry.
pub(in crate::caches) enum Seal {
    Checksum([u8; 8]),
    Mac(Output<Sha256>),
}

impl Sealing {
    pub(in crate::caches) fn new(keys: &[MacKey]) -> Self {
        Self {
            keys: keys.iter().map(MacKey::begin).collect(),
        }
    }

    /// The number of the layout that the entries have.
    pub(in crate::caches) const fn layout(&self) -> u8 {
        if self.keys.is_empty() { 2 } else { 3 }
    }

    pub(in crate::caches) const fn length(&self) -> usize {
        if self.keys.is_empty() { 8 } else { 32 }
    }

    /// The seal over a Redis key and the content of its entry.
    pub(in crate::caches) fn seal(&self, key: &str, content: &[u8]) -> Seal {
        match self.keys.first() {
            Some(begun) => Seal::Mac(over(begun, key, content).finalize().into_bytes()),
            None => Seal::Checksum(checksum(key, content)),
        }
    }

    /// Returns `true` if the seal was made over these, with one of the keys if there are any.
    pub(in crate::caches) fn is_whole(&self, key: &str, content: &[u8], seal: &[u8]) -> bool {
        if self.keys.is_empty() {
            return checksum(key, content) == *seal;
        }
        let mut keys = self.keys.iter();
        // The comparison takes the same time wherever the seals differ.
        keys.any(|begun| over(begun, key, content).verify_slice(seal).is_ok())
    }
}

/// The HMAC over a Redis key and a content. The length of the key keeps the two apart.
fn over(begun: &Hmac<Sha256>, key: &str, content: &[u8]) -> Hmac<Sha256> {
    let length = (key.len() as u64).to_be_bytes();
    begun
        .clone()
        .chain_update(length)
        .chain_update(key)
        .chain_update(content)
}

/// The checksum over a Redis key and a content. Each step of the hash is invertible, so no single damaged byte goes unnoticed.
/// It protects against accidents only: anyone can make one.
fn checksum(key: &str, content: &[u8]) -> [u8; 8] {
    let checksum = Fnv1a64::EMPTY.with(key.as_bytes()).with(content);
    checksum.finish().to_be_bytes()
}
