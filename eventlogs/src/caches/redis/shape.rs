//! The shape of a type as serde sees it, down to the nested types that no macro of ours has seen.
//!
//! The type is deserialised from nothing: a deserialiser that answers every question with some value of the kind asked
//! for, and notes the questions. Names and kinds of fields, and the variants of enums, go into the shape; several passes
//! visit every variant. A field that accepts none of the values (a text with a rule of its own, say) ends its pass, so what
//! stands behind it stays out of the shape; then the spelling of its type, which the derive has hashed, is all that counts.

mod asker;
#[cfg(test)]
mod tests;

use asker::Asker;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// How often the type is deserialised at the most; one pass visits one variant of each enum.
const PASSES: usize = 128;
/// How deep values are nested at the most, for types that contain themselves.
const DEPTH: usize = 24;
/// Texts, one of which is accepted by most types that are written as a text.
const TEXTS: [&str; 8] = [
    "",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "127.0.0.1",
    "http://localhost/",
];

/// A number that changes when the shape of `T` changes.
pub(super) fn shape<T: DeserializeOwned>() -> u64 {
    let mut trace = Trace::default();
    for _ in 0..PASSES {
        trace.begin_pass();
        let accepted = T::deserialize(Asker {
            trace: &mut trace,
            depth: 0,
        })
        .is_ok();
        if !trace.has_more(accepted) {
            break;
        }
    }
    trace.hash.0
}

/// FNV-1a: small, and the same on every platform and for every compiler.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, text: &str) {
        // A byte that no text contains keeps neighbours apart.
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What was asked so far, and what to answer next.
#[derive(Default)]
struct Trace {
    /// All questions of all passes.
    hash: Hash,
    /// How many variants of each enum were visited, and how many it has.
    variants: HashMap<&'static str, (usize, usize)>,
    /// Which of the texts each text of a pass gets, by its number.
    texts: Vec<usize>,
    /// How many texts this pass has been asked for.
    asked_texts: usize,
    /// Whether this pass visits a variant that no pass has visited before.
    news: bool,
}

impl Trace {
    fn begin_pass(&mut self) {
        self.asked_texts = 0;
        self.news = false;
    }

    /// Whether another pass would see something new.
    fn has_more(&mut self, accepted: bool) -> bool {
        if !accepted
            && let Some(text) = self
                .asked_texts
                .checked_sub(1)
                .and_then(|last| self.texts.get_mut(last))
        {
            // The last text was asked for right before the end; most likely it was at fault.
            *text += 1;
            return *text < TEXTS.len();
        }
        let unvisited = self.variants.values().any(|(visited, all)| visited < all);
        accepted && unvisited && self.news
    }

    fn text(&mut self) -> &'static str {
        if self.texts.len() == self.asked_texts {
            self.texts.push(0);
        }
        let choice = self
            .texts
            .get(self.asked_texts)
            .copied()
            .unwrap_or_default();
        self.asked_texts += 1;
        TEXTS.get(choice).copied().unwrap_or_default()
    }

    /// The variant to visit: each in its turn, then the last one again.
    fn variant(
        &mut self,
        name: &'static str,
        variants: &'static [&'static str],
    ) -> Option<&'static str> {
        let (visited, _) = self.variants.entry(name).or_insert((0, variants.len()));
        let next = variants.get(*visited);
        if next.is_some() {
            *visited += 1;
            self.news = true;
        }
        next.or(variants.last()).copied()
    }
}
