//! Trying again what met a broken connection, until a deadline.

use super::error::{self, Verdict};
use crate::stores::StoreError;
use crate::telemetry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often a statement is tried again that lost against others, such as in a deadlock. A broken connection is tried
/// again until the time is over.
pub(super) const LOST_RACES: u32 = 10;

/// Whether a write is on its way to the server: if not, it cannot have been carried out. Set by the attempt itself, which may
/// be cut off by the clock at any point.
#[derive(Default)]
pub(super) struct OnItsWay(AtomicBool);

impl OnItsWay {
    /// A write is being sent.
    pub(super) fn sending(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The server has answered, and the answer is known.
    pub(super) fn answered(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs attempts until one has an answer, the time is over, or trying again is of no use.
///
/// If a write was on its way when its connection broke, and no later attempt finds out what became of it, the outcome is
/// unknown.
pub(super) async fn until_answered<T, F: Future<Output = Result<T, sqlx::Error>>>(
    deadline: Instant,
    on_its_way: &OnItsWay,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut in_doubt = false;
    let mut attempts = 0;
    loop {
        let error = match tokio::time::timeout_at(deadline, attempt()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error,
            Err(elapsed) => {
                let source = elapsed.into();
                return Err(if in_doubt || on_its_way.get() {
                    StoreError::OutcomeUnknown {
                        source: Some(source),
                    }
                } else {
                    StoreError::Unavailable { source }
                });
            }
        };
        attempts += 1;
        let verdict = error::verdict(&error);
        in_doubt |= verdict == Verdict::InDoubt && on_its_way.get();
        on_its_way.answered();
        let again = match verdict {
            Verdict::InDoubt => true,
            Verdict::Retry => attempts < LOST_RACES,
            Verdict::Final | Verdict::Clash => false,
        };
        let pause = pause(attempts);
        if !again || Instant::now() + pause >= deadline {
            // After a fail-over the address may lead to a server that only reads, or lets nobody in yet: what became of
            // an earlier attempt is as open as before.
            return Err(if in_doubt {
                StoreError::OutcomeUnknown {
                    source: Some(error.into()),
                }
            } else {
                error::of(error)
            });
        }
        tracing::debug!(%error, attempts, "trying again");
        telemetry::retried();
        tokio::time::sleep(pause).await;
    }
}

/// Short at first, since the next connection may be a good one; differently long in everybody who waits.
fn pause(attempts: u32) -> Duration {
    let ceiling = Duration::from_millis(2)
        .saturating_mul(1 << attempts.min(8))
        .min(LONGEST_PAUSE);
    ceiling.mul_f64(fastrand::f64())
}
