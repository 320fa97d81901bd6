//! Trying again what met a broken or silent connection, until a deadline.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::error::{Failure, Verdict};
use crate::stores::postgres::pool::{Connections, Leased};
use crate::stores::postgres::silence;
use crate::stores::postgres::silence::Heard;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often a statement is tried again that lost against others, such as in a deadlock. A broken connection is tried
/// again until the time is over.
pub(super) const LOST_RACES: u32 = 10;
/// How many attempts a write has that meets a server which only reads: the first one's connection may be an old one, to a
/// server that was the primary when it was made.
const READ_ONLY: u32 = 2;
/// The generation of no connection.
const NONE: u64 = u64::MAX;
/// Later than any clock here counts to: thirty years.
const FAR: Duration = Duration::from_hours(30 * 365 * 24);

/// This long after an instant; in the far future, if the clock does not go that far.
pub(super) fn after(instant: Instant, duration: Duration) -> Instant {
    instant
        .checked_add(duration)
        .or_else(|| instant.checked_add(FAR))
        .unwrap_or(instant)
}

/// What is asked of the server, in as many attempts as it takes: which connections it uses, how much time it has, and how
/// far the attempt has come that is under way.
pub(super) struct Operation<'a> {
    /// Where its connections come from.
    connections: &'a Connections,
    /// When its time is over.
    deadline: Instant,
    /// For how long a connection may be silent, in nanoseconds; longer with each attempt that was.
    silence: AtomicU64,
    /// Whether connections that are made for it may lead to a server that the tables do not belong to.
    to_any_server: bool,
    /// Whether it is the server's turn; else silence says nothing about it.
    is_with_server: AtomicBool,
    /// Which generation the connection in use is of; [`NONE`], if there is none.
    generation: AtomicU64,
    /// Whether a connection that has rested will not do.
    wants_new: AtomicBool,
    /// Whether a write is on its way to the server: if not, it cannot have been carried out. Set by the attempt itself, which
    /// may be cut off by the clock at any point.
    is_sending: AtomicBool,
}

impl<'a> Operation<'a> {
    pub(super) fn new(connections: &'a Connections, deadline: Instant, silence: Duration) -> Self {
        Self {
            connections,
            deadline,
            silence: AtomicU64::new(nanos(silence)),
            to_any_server: false,
            is_with_server: AtomicBool::new(false),
            generation: AtomicU64::new(NONE),
            wants_new: AtomicBool::new(false),
            is_sending: AtomicBool::new(false),
        }
    }

    /// The same for whoever finds out by itself where the tables belong.
    pub(super) fn for_any_server(self) -> Self {
        Self {
            to_any_server: true,
            ..self
        }
    }

    /// Whether a new connection must lead to the server that the tables belong to.
    pub(super) const fn wants_home(&self) -> bool {
        !self.to_any_server
    }

    /// A connection for the attempt under way, once there is one.
    pub(super) async fn lease(&self) -> Result<Leased<'a>, Failure> {
        self.connections.lease(self).await
    }

    /// The same over new connections only.
    pub(super) fn afresh(self) -> Self {
        let wants_new = AtomicBool::new(true);
        Self { wants_new, ..self }
    }

    /// Whether it has heard too little of connections that were used before.
    pub(super) fn wants_new(&self) -> bool {
        self.wants_new.load(Ordering::Relaxed)
    }

    /// The generation of the connection in use, if there is one.
    fn connected(&self) -> Option<u64> {
        let generation = self.generation.load(Ordering::Relaxed);
        (generation != NONE).then_some(generation)
    }

    /// For how long a connection may be silent at present.
    pub(super) fn silence(&self) -> Duration {
        Duration::from_nanos(self.silence.load(Ordering::Relaxed))
    }

    /// From here on it is the server's turn.
    pub(super) fn server_begins(&self) {
        self.is_with_server.store(true, Ordering::Relaxed);
    }

    /// The same, over a connection of this generation.
    pub(super) fn server_begins_on(&self, generation: u64) {
        self.generation.store(generation, Ordering::Relaxed);
        self.server_begins();
    }

    /// A write is being sent.
    pub(super) fn sending(&self) {
        self.is_sending.store(true, Ordering::Relaxed);
    }

    /// The server has answered, and the answer is known.
    pub(super) fn answered(&self) {
        self.is_sending.store(false, Ordering::Relaxed);
    }
}

/// Runs attempts until one has an answer, the time is over, or trying again is of no use.
///
/// An attempt that is silent is given up, and the next one has a new connection, and twice the patience to make it. The
/// server may be slow rather than gone, and go on with the first: two attempts that it may be busy with are enough, and the
/// second one waits for its answer for as long as there is time.
///
/// If a write was on its way when its connection broke, and no later attempt finds out what became of it, the outcome is
/// unknown. Until then it is tried again whatever the server says: after a fail-over the address may lead to one that only
/// reads, or lets nobody in yet.
pub(super) async fn until_answered<T, F: Future<Output = Result<T, Failure>>>(
    operation: &Operation<'_>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut in_doubt = false;
    let mut left_running = false;
    let mut attempts = 0;
    loop {
        operation.is_with_server.store(false, Ordering::Relaxed);
        operation.generation.store(NONE, Ordering::Relaxed);
        let begun = Instant::now();
        let is_sending = || operation.is_sending.load(Ordering::Relaxed);
        let counts = || {
            operation.is_with_server.load(Ordering::Relaxed)
                && !(left_running && operation.connected().is_some())
        };
        let silence = operation.silence();
        let heard = silence::watch(silence, operation.deadline, counts, attempt()).await;
        let failure = match heard {
            Heard::Done(Ok(answer)) => return Ok(answer),
            Heard::Done(Err(failure)) => failure,
            Heard::Silent => {
                left_running |= operation.connected().is_some();
                operation.wants_new.store(true, Ordering::Relaxed);
                Failure::Silent { silence }
            }
            Heard::Late => Failure::Late,
        };
        attempts += 1;
        in_doubt |= is_sending();
        operation.answered();
        let lasted = begun.elapsed();
        if lasted >= silence {
            let longer = nanos(silence).saturating_mul(2);
            operation.silence.store(longer, Ordering::Relaxed);
        }
        let verdict = failure.verdict();
        if failure.speaks_for_others()
            && let Some(generation) = operation.connected()
        {
            operation.connections.retire(generation);
        }
        let again = match verdict {
            Verdict::Over => false,
            _ if in_doubt => true,
            Verdict::Ended => true,
            Verdict::Stale | Verdict::Retry => attempts < LOST_RACES,
            Verdict::ReadOnly => attempts < READ_ONLY,
            Verdict::Final | Verdict::Clash => false,
        };
        let pause = match (&failure, verdict) {
            // The time has passed already.
            (Failure::Silent { .. }, _) => Duration::ZERO,
            (_, Verdict::Ended) => pause(attempts),
            // A large write that waits for what an earlier attempt still has locked is not sent all the time.
            _ if in_doubt => pause(attempts).max(lasted),
            _ => pause(attempts),
        };
        if !again || Instant::now() + pause >= operation.deadline {
            return Err(if in_doubt {
                StoreError::OutcomeUnknown {
                    source: Some(failure.into_source()),
                }
            } else {
                failure.into()
            });
        }
        tracing::debug!(error = %failure, attempts, "trying again");
        #[cfg(feature = "metrics")]
        metrics::counter!("eventlogs_retries_total").increment(1);
        tokio::time::sleep(pause).await;
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Short at first, since the next connection may be a good one; differently long in everybody who waits.
fn pause(attempts: u32) -> Duration {
    let ceiling = Duration::from_millis(2)
        .saturating_mul(1 << attempts.min(8))
        .min(LONGEST_PAUSE);
    ceiling.mul_f64(fastrand::f64())
}
