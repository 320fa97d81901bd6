//! The number of random cases, and how to repeat a run.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Multiplies the number of random cases; 1 if not set.
const EFFORT: &str = "EVENTLOGS_TEST_EFFORT";
/// Makes random tests repeat the choices of a run.
const SEED: &str = "EVENTLOGS_TEST_SEED";

/// Returns the usual number, or a multiple if the environment sets one.
pub(crate) fn scaled(usual: u32) -> u32 {
    usual.saturating_mul(number(EFFORT).map_or(1, |factor| {
        u32::try_from(factor).expect("a factor that can be waited for")
    }))
}

/// Returns a different seed in every run, unless the environment sets one.
pub(crate) fn seed() -> u64 {
    number(SEED).unwrap_or_else(|| RandomState::new().hash_one(0))
}

/// Returns the advice to print with a failure.
pub(crate) fn again(seed: u64) -> String {
    format!("{SEED}={seed} repeats this run, and {EFFORT} runs more cases")
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number")),
    )
}
