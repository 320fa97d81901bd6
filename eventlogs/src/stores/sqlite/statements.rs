//! The statements of a store.
//!
//! Each statement is a file in `statements`. The comment at the start of the file describes the statement, its parameters, its
//! columns and the reasons for its form. Every file can be tried in the `sqlite3` shell. If a file has a list with one row
//! (`values (…)`), the store also runs it with more rows; `statements/golden` shows such texts with three rows.

pub(super) mod appends;
pub(super) mod checkpoints;
pub(super) mod feed;
pub(super) mod files;
pub(super) mod listing;
pub(super) mod parked;
pub(super) mod pruning;
pub(super) mod questions;
pub(crate) mod row_keys;
pub(super) mod rows;
#[cfg(test)]
mod tests;
pub(super) mod text;
