//! How often a decision is made again.

use crate::time_box;
use std::time::Duration;

/// Counts the attempts.
pub(super) struct Attempts {
    /// How many were made.
    pub(super) made: u32,
    /// How many were made in vain on a state that had not happened, or was old before the call began: not their own fault.
    pub(super) misled: u32,
    /// How many may be made.
    pub(super) allowed: u32,
}

impl Attempts {
    /// Being misled is free up to a point: a store that keeps on failing must not keep everybody busy for ever.
    const MISLED: u32 = 100;

    pub(super) const fn new(allowed: u32) -> Self {
        Self {
            made: 1,
            misled: 0,
            allowed,
        }
    }

    /// Whether there may be another attempt; waits a little, and differently long in every loser of a race, before the
    /// next. The first one is free.
    pub(super) async fn again(&mut self, misled: bool) -> bool {
        if misled && self.misled < Self::MISLED {
            self.misled += 1;
            return true;
        }
        if self.made >= self.allowed {
            return false;
        }
        let ceiling = 1 << self.made.min(6);
        if self.made > 1 {
            time_box::pause(Duration::from_micros(fastrand::u64(0..ceiling * 500))).await;
        }
        self.made += 1;
        true
    }
}
