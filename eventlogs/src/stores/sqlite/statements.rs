//! The statements of a store.
//!
//! Each statement is a file in `statements`: what it does, its parameters, its columns and the reasons for its form are said
//! at the start of the file. Every file can be tried in the `sqlite3` shell. Where a file has a list of rows (`values (…)`) with
//! one row, the store also runs it with more of them; `statements/golden` shows such texts with three.

pub(super) mod appends;
pub(super) mod files;
pub(super) mod pruning;
pub(super) mod questions;
#[cfg(test)]
mod tests;
pub(super) mod text;
