//! Limits how often a warning is logged that could come with each operation.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The shortest time between two warnings.
const PAUSE: Duration = Duration::from_mins(1);

/// Lets a warning through at once, and then at most one per minute.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// When the last warning was let through, in milliseconds after [`start`]; 0 if none was.
    last: AtomicU64,
    /// How many warnings were kept back since then.
    kept_back: AtomicU64,
}

impl Throttle {
    /// Returns how many warnings the next one stands for, including itself; `None` if it is kept back.
    pub(crate) fn next(&self) -> Option<u64> {
        self.at(start().elapsed())
    }

    fn at(&self, now: Duration) -> Option<u64> {
        // Never 0, which stands for no warning.
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX).max(1);
        let last = self.last.load(Ordering::Relaxed);
        let is_due = last == 0 || u128::from(now.saturating_sub(last)) >= PAUSE.as_millis();
        // Of several callers at the same time, one logs.
        let logs = is_due
            && self
                .last
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if logs {
            Some(self.kept_back.swap(0, Ordering::Relaxed) + 1)
        } else {
            self.kept_back.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

/// Returns a point in time that stays the same.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_warning_comes_at_once_and_the_next_after_a_minute() {
        let throttle = Throttle::default();
        let at = |seconds| throttle.at(Duration::from_secs(seconds));
        assert_eq!(at(0), Some(1));
        assert_eq!([at(0), at(1), at(59)], [None; 3]);
        // It stands for those that were kept back.
        assert_eq!(at(61), Some(4));
        assert_eq!([at(62), at(120)], [None; 2]);
        assert_eq!(at(1_000), Some(3));
        assert_eq!(at(2_000), Some(1));
    }

    #[test]
    fn a_clock_that_has_just_begun_lets_the_first_warning_through() {
        assert_eq!(Throttle::default().next(), Some(1));
    }
}
