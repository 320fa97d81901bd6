//! Checks and hashes for the output of `derive(Projection)`.

use crate::__private::schema::{assert_distinct_kinds, assert_distinct_parts};
use crate::feed::source::Source;
use crate::hash::Fnv1a64;
use crate::ids::LogId;
use crate::projection::row::{RememberedKeys, RowKeys};

/// The type of the key of a row whose key is the log.
///
/// It is a trait because the error for a mismatched type would suggest a conversion.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the id of a log",
    label = "the key of a row is a `LogId`, unless a function returns the key",
    note = "write `#[key] id: LogId`; for another key, write `events(YourEvent by your_function)` with `fn your_function(&FeedRecord<YourEvent>) -> RowKeys<{Self}>`"
)]
pub trait LogKey {
    /// Returns the id as a key.
    fn of_log(log_id: LogId) -> Self;
}

impl LogKey for LogId {
    fn of_log(log_id: LogId) -> Self {
        log_id
    }
}

/// The type of the field with the index of the last event of a row.
///
/// It is a trait because the errors for a mismatched type would show generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold the index of a row's last event",
    label = "write `Option<u64>`"
)]
pub trait LastIndex {
    /// Returns the index; `None` before the first event.
    fn get(&self) -> Option<u64>;

    /// Sets the index.
    fn set(&mut self, index: u64);
}

impl LastIndex for Option<u64> {
    fn get(&self) -> Option<u64> {
        *self
    }

    fn set(&mut self, index: u64) {
        *self = Some(index);
    }
}

/// What a function in `by` may return.
#[diagnostic::on_unimplemented(
    message = "a function in `by` cannot return `{Self}`",
    label = "return `RowKeys<{K}>`, or `RememberedKeys<{K}>` if later events of the log have the same keys"
)]
pub trait EventKeys<K> {
    /// Returns the keys.
    fn row_keys(self) -> RowKeys<K>;
}

impl<K> EventKeys<K> for RowKeys<K> {
    fn row_keys(self) -> RowKeys<K> {
        self
    }
}

impl<K> EventKeys<K> for RememberedKeys<K> {
    fn row_keys(self) -> RowKeys<K> {
        self.into()
    }
}

/// Fails to compile if the source `checked` reads a name that another source reads, too, or the logs of another source.
///
/// # Panics
/// If a name is read twice, or two sources have a kind of logs in common; the message has the name.
#[track_caller]
pub const fn assert_distinct_sources(sources: &[Source], checked: usize) {
    let mut other = 0;
    while other < sources.len() {
        if other != checked {
            let (left, right) = if other < checked {
                (&sources[other], &sources[checked])
            } else {
                (&sources[checked], &sources[other])
            };
            assert_distinct_parts(left.schema, right.schema);
            assert_distinct_kinds(&left.log_type, &right.log_type);
        }
        other += 1;
    }
}

/// Returns the hash of the statements that create the tables of a projection. The ends of lines make no difference, because a
/// checkout may change them.
#[must_use]
pub fn text_fingerprint(text: Option<&str>) -> u64 {
    let lines = text.unwrap_or_default().lines();
    lines
        .fold(Fnv1a64::EMPTY, |hash, line| {
            hash.with(line.as_bytes()).with(b"\n")
        })
        .finish()
}
