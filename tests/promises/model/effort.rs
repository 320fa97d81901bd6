//! How much is tried, and how a run is repeated.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Multiplies what random tests try; 1 if it is not set.
const EFFORT: &str = "EVENTLOGS_TEST_EFFORT";
/// Makes random tests choose the same again.
const SEED: &str = "EVENTLOGS_TEST_SEED";

/// This many, or more if the environment asks for it.
pub(crate) fn scaled(usual: u32) -> u32 {
    usual.saturating_mul(number(EFFORT).map_or(1, |factor| {
        u32::try_from(factor).expect("a factor that can be waited for")
    }))
}

/// Another seed in every run, unless the environment gives one.
pub(crate) fn seed() -> u64 {
    number(SEED).unwrap_or_else(|| RandomState::new().hash_one(0))
}

/// What to say of a failure beside what failed.
pub(crate) fn again(seed: u64) -> String {
    format!("{SEED}={seed} chooses the same again, and {EFFORT} tries more")
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number")),
    )
}
