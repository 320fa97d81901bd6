//! The range of times at which an event can have occurred.

use crate::stores::error::invalid::InvalidAppend;
use crate::stores::limits::Limits;
use chrono::{DateTime, Utc};

impl Limits {
    /// The earliest time at which an event can have occurred: the beginning of the year 4713 BC. PostgreSQL has no earlier
    /// times.
    pub const EARLIEST_OCCURRED_AT: DateTime<Utc> = at(-210_863_520_000);
    /// The latest time at which an event can have occurred: the beginning of the year 200,000. The types of the databases and
    /// of Rust end some 10,000 years later, each at another time.
    pub const LATEST_OCCURRED_AT: DateTime<Utc> = at(6_249_223_180_800);
}

/// Returns the time that is this many seconds after the beginning of 1970.
const fn at(seconds: i64) -> DateTime<Utc> {
    match DateTime::from_timestamp_secs(seconds) {
        Some(time) => time,
        None => DateTime::UNIX_EPOCH,
    }
}

/// Refuses a time that not every store can keep.
pub(super) fn check(occurred_at: Option<DateTime<Utc>>) -> Result<(), InvalidAppend> {
    match occurred_at {
        Some(time)
            if !(Limits::EARLIEST_OCCURRED_AT..=Limits::LATEST_OCCURRED_AT).contains(&time) =>
        {
            Err(InvalidAppend::OccurredAt { occurred_at: time })
        }
        _ => Ok(()),
    }
}

/// Returns the time as a database keeps it: in whole microseconds, with a leap second replaced by the second after it.
pub(super) fn stored_time(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_what_its_documentation_says() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
        assert_eq!(
            time("-4712-01-01T00:00:00Z"),
            Some(Limits::EARLIEST_OCCURRED_AT)
        );
        assert_eq!(
            time("+200000-01-01T00:00:00Z"),
            Some(Limits::LATEST_OCCURRED_AT)
        );
    }
}
