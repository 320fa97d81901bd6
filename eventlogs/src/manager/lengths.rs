//! About how many events the logs of an aggregate have.

use std::sync::atomic::{AtomicU64, Ordering};

/// A moving average of the numbers of events of full reductions. It only decides how a log is read, so it may be wrong.
#[derive(Debug, Default)]
pub(super) struct Lengths(AtomicU64);

/// The average is kept in these parts of an event.
const PARTS: u64 = 16;
/// The weight of the average so far, in relation to the next number.
const WEIGHT: u64 = 7;

impl Lengths {
    /// Returns the average; `None` before the first reduction.
    pub(super) fn average(&self) -> Option<u64> {
        let parts = self.0.load(Ordering::Relaxed);
        (parts > 0).then_some(parts / PARTS)
    }

    /// Notes the number of events of a full reduction.
    pub(super) fn note(&self, events: u64) {
        let parts = events.saturating_mul(PARTS).max(1);
        let before = self.0.load(Ordering::Relaxed);
        let average = if before == 0 {
            parts
        } else {
            before.saturating_mul(WEIGHT).saturating_add(parts) / (WEIGHT + 1)
        };
        self.0.store(average.max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Lengths;

    #[test]
    fn the_average_follows_the_lengths() {
        let lengths = Lengths::default();
        assert_eq!(lengths.average(), None);
        lengths.note(10);
        assert_eq!(lengths.average(), Some(10));
        (0..100).for_each(|_| lengths.note(1_000));
        assert!(lengths.average() > Some(950));
        (0..100).for_each(|_| lengths.note(1));
        assert!(lengths.average() < Some(3));
        lengths.note(u64::MAX);
        lengths.note(u64::MAX);
        assert!(lengths.average() > Some(1_000_000));
    }
}
