//! When a state was last compared with the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// When a read was sent that found no event after those of a state. All copies share it, so that the next read renews the entry
/// of a cache without writing it.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedAt(Arc<AtomicU64>);

/// Stands for a state that was never compared with the store by this process.
const NEVER: u64 = 0;

impl VerifiedAt {
    /// Makes the note for a state that was never compared.
    pub(crate) fn never() -> Self {
        Self(Arc::new(AtomicU64::new(NEVER)))
    }

    /// Notes the time at which the read was sent. An earlier time than the noted one changes nothing.
    pub(crate) fn set(&self, sent_at: Instant) {
        self.0.fetch_max(since_start(sent_at), Ordering::Relaxed);
    }

    /// Returns `true` if the read was sent at most this long ago.
    pub(crate) fn is_within(&self, age: Duration) -> bool {
        let sent_at = self.0.load(Ordering::Relaxed);
        let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        sent_at != NEVER && since_start(Instant::now()).saturating_sub(sent_at) <= age
    }
}

/// Returns the nanoseconds since the first call of this function in the process, which counts as the first one.
fn since_start(time: Instant) -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    let since = time.saturating_duration_since(start).as_nanos();
    u64::try_from(since).unwrap_or(u64::MAX).max(NEVER + 1)
}

#[cfg(test)]
mod tests {
    use super::VerifiedAt;
    use std::time::{Duration, Instant};

    #[test]
    fn a_state_that_was_never_compared_is_of_no_age() {
        assert!(!VerifiedAt::never().is_within(Duration::MAX));
    }

    #[test]
    fn the_age_counts_from_the_newest_read_and_copies_share_it() {
        let verified = VerifiedAt::never();
        let copy = verified.clone();
        let now = Instant::now();
        copy.set(now);
        assert!(verified.is_within(Duration::from_mins(1)));
        if let Some(before) = now.checked_sub(Duration::from_mins(10)) {
            copy.set(before);
            assert!(verified.is_within(Duration::from_mins(1)));
        }
        while now.elapsed() < Duration::from_millis(2) {}
        assert!(!verified.is_within(Duration::from_millis(1)));
    }
}
