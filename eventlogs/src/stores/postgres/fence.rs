//! The fence of the feed: the number of the first transaction that may not have ended.
//!
//! Every transaction with a number holds the fence while it runs, also a prepared one and one of another database. Those of
//! other databases cannot store events. If the fence stands still and events wait behind it, they are told apart.

use crate::feed::head::{FeedHead, History};
use crate::sync::lock;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// After this time, transactions of other databases are told apart.
const TELL_APART: Duration = Duration::from_secs(1);
/// How often they are told apart while the fence is held. They have been told apart already if the fence is a proven number.
const TELL_APART_AGAIN: Duration = Duration::from_millis(100);
/// After this time, what holds the fence is reported.
const REPORT: Duration = Duration::from_secs(5);
/// How often it is reported again.
const REPORT_AGAIN: Duration = Duration::from_mins(1);

/// What a store knows about its fence.
#[derive(Default)]
pub(super) struct Fence(Mutex<Known>);

/// What is known.
#[derive(Default)]
struct Known {
    /// A transaction number below which all transactions of this database have ended.
    proven: i64,
    /// The fence at which events wait, and since when.
    held: Option<(u64, Instant)>,
    /// When transactions were told apart last.
    told_apart: Option<Instant>,
    /// When the holder was reported last.
    reported: Option<Instant>,
    /// The history of the server that all this is known of.
    history: Option<History>,
}

/// What to do about a fence that is held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    TellApart,
}

impl Fence {
    /// Returns the proven number, and the server of which it is known.
    pub(super) fn proven(&self) -> (i64, Option<History>) {
        let known = lock(&self.0);
        (known.proven, known.history)
    }

    /// Takes a head that was looked up.
    pub(super) fn seen(&self, head: &FeedHead) -> Step {
        let mut known = lock(&self.0);
        let now = Instant::now();
        if !head.is_held() {
            known.held = None;
            return Step::Nothing;
        }
        let fence = head.fence.place().tx;
        let since = match known.held {
            Some((place, since)) if place == fence => since,
            _ => {
                known.held = Some((fence, now));
                now
            }
        };
        let is_due = known
            .told_apart
            .is_none_or(|last| now.duration_since(last) >= TELL_APART_AGAIN);
        let patience = if known.proven.cast_unsigned() == fence {
            TELL_APART_AGAIN
        } else {
            TELL_APART
        };
        if now.duration_since(since) >= patience && is_due && !head.is_standby {
            known.told_apart = Some(now);
            return Step::TellApart;
        }
        Step::Nothing
    }

    /// Takes a number that a server has proven. Returns `true` if it is greater than the one before. That of another server is
    /// of no use.
    pub(super) fn prove(&self, fence: i64, history: History) -> bool {
        let mut known = lock(&self.0);
        let rises = fence > known.proven && known.history == Some(history);
        if rises {
            known.proven = fence;
        }
        rises
    }

    /// Returns how long the fence has been held, if that must be reported now.
    pub(super) fn report(&self) -> Option<Duration> {
        let mut known = lock(&self.0);
        let now = Instant::now();
        let held = now.duration_since(known.held?.1);
        let is_due = known
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_AGAIN);
        if held < REPORT || !is_due {
            return None;
        }
        known.reported = Some(now);
        Some(held)
    }

    /// Returns how long the fence has been held.
    #[cfg(any(test, feature = "metrics"))]
    pub(super) fn held_for(&self) -> Option<Duration> {
        let known = lock(&self.0);
        known.held.map(|(_, since)| since.elapsed())
    }

    /// Takes the server that a head was looked up on. Another one has other transactions, so nothing that was known holds there.
    pub(super) fn enter(&self, history: History) {
        let mut known = lock(&self.0);
        if known.history != Some(history) {
            *known = Known {
                history: Some(history),
                ..Known::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fence, Step};
    use crate::cursor::Cursor;
    use crate::feed::head::{FeedHead, History};

    const HERE: History = History::new(1, 1, 1);
    const THERE: History = History::new(1, 1, 2);

    #[test]
    fn what_one_server_has_proven_is_forgotten_on_another() {
        let fence = Fence::default();
        assert!(!fence.prove(5, HERE), "no head was looked up there");
        fence.enter(HERE);
        assert!(fence.prove(5, HERE) && !fence.prove(4, HERE) && !fence.prove(5, HERE));
        assert_eq!(fence.proven(), (5, Some(HERE)));
        assert!(!fence.prove(9, THERE));
        fence.enter(HERE);
        assert_eq!(fence.proven(), (5, Some(HERE)));
        fence.enter(THERE);
        assert_eq!(fence.proven(), (0, Some(THERE)));
        assert!(!fence.prove(9, HERE));
    }

    #[test]
    fn transactions_are_not_told_apart_at_once() {
        let fence = Fence::default();
        let place = |tx| Cursor::from_parts(1, tx, 0, None);
        fence.enter(HERE);
        let held = FeedHead::new(place(5), Some(place(6)), None);
        assert!(fence.seen(&held) == Step::Nothing && fence.held_for().is_some());
        assert_eq!(fence.report(), None);
        let free = FeedHead::new(place(7), Some(place(6)), None);
        assert!(fence.seen(&free) == Step::Nothing && fence.held_for().is_none());
    }
}
