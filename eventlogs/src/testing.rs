//! Help for tests: the promises that every store and every cache must keep, ready to be run on your own.

#[cfg(feature = "json")]
pub mod conformance;
