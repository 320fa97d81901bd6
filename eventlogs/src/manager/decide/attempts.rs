//! How often a decision is made again.

use crate::time_box;
use std::time::Duration;

/// Counts the attempts.
pub(super) struct Attempts {
    /// How many were made.
    pub(super) made: u32,
    /// How many failed because their state was never stored, or was out of date before the call began.
    pub(super) outdated: u32,
    /// How many may be made.
    pub(super) allowed: u32,
}

impl Attempts {
    /// An outdated state costs no attempt, up to this number: a store that keeps failing must not keep its callers busy
    /// indefinitely.
    const OUTDATED: u32 = 100;

    pub(super) const fn new(allowed: u32) -> Self {
        Self {
            made: 1,
            outdated: 0,
            allowed,
        }
    }

    /// Whether there may be another attempt; waits a little, and differently long in every loser of a race, before the
    /// next. The first one is free.
    pub(super) async fn again(&mut self, outdated: bool) -> bool {
        if outdated && self.outdated < Self::OUTDATED {
            self.outdated += 1;
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
