//! The attempts of a decision.

use crate::time_box;
use std::time::Duration;

/// Counts the attempts of a decision, and limits them.
pub(super) struct Attempts {
    /// The number of attempts made.
    pub(super) made: u32,
    /// The number of attempts that failed because their state was never stored, or was out of date before the call began.
    pub(super) outdated: u32,
    /// The number of attempts allowed.
    pub(super) allowed: u32,
}

impl Attempts {
    /// The number of outdated states that cost no attempt: a store that keeps failing must not keep its callers busy
    /// indefinitely.
    const OUTDATED: u32 = 100;

    pub(super) const fn new(allowed: u32) -> Self {
        Self {
            made: 1,
            outdated: 0,
            allowed,
        }
    }

    /// Returns `true` if another attempt is allowed.
    ///
    /// It backs off before that, for a random time, so that the losers of a race do not meet again. The first retry is
    /// immediate.
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
