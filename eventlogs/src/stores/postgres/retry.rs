//! Retries after a broken or silent connection, until a deadline.

use crate::stores::error::store::StoreError;
use crate::stores::postgres::attempt::Attempt;
use crate::stores::postgres::failure::{AttemptError, Failure, Verdict};
use crate::stores::postgres::pool::{ConnectionPool, Leased};
use crate::stores::postgres::silence;
use crate::stores::postgres::silence::Watched;
use crate::stores::postgres::telemetry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The longest backoff between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How many attempts a statement has if it loses against others, for example in a deadlock. After a broken connection there are
/// attempts until the deadline.
pub(super) const LOST_RACES: u32 = 10;
/// How many attempts a write has on servers that only read. The first attempt may use an old connection, to a server that was
/// the primary when the connection was made.
const READ_ONLY: u32 = 2;

/// A request to the server, in as many attempts as it takes.
pub(super) struct Operation<'a> {
    /// Where its connections come from.
    connections: &'a ConnectionPool,
    /// The deadline of the operation.
    deadline: Instant,
    /// The current attempt.
    attempt: Attempt,
}

impl<'a> Operation<'a> {
    pub(super) fn new(
        connections: &'a ConnectionPool,
        deadline: Instant,
        silence: Duration,
    ) -> Self {
        Self {
            connections,
            deadline,
            attempt: Attempt::new(silence),
        }
    }

    /// Changes this operation into one that checks by itself which server the tables belong to.
    pub(super) fn for_any_server(self) -> Self {
        Self {
            attempt: self.attempt.for_any_server(),
            ..self
        }
    }

    /// Changes this operation into one over new connections only.
    pub(super) fn over_new_connections(self) -> Self {
        self.attempt.want_new();
        self
    }

    /// Returns `true` if the deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        self.deadline <= Instant::now()
    }

    /// Takes a connection for the current attempt from the pool, once one is free.
    pub(super) async fn lease(&self) -> Result<Leased<'a>, Failure> {
        self.connections.lease(&self.attempt).await
    }
}

/// Whether a write is in doubt: it may have been carried out although its answer is lost.
#[derive(Default)]
pub(super) struct WriteInDoubt {
    /// Whether a write is in flight; if not, it cannot have been carried out. The attempt itself sets this, because a timeout
    /// may end it at any await.
    is_sending: AtomicBool,
    /// Whether an attempt ended while its write was in flight.
    is_in_doubt: AtomicBool,
}

impl WriteInDoubt {
    /// Returns the doubt that a part of these writes begins with: that of all.
    pub(super) fn for_a_part(&self) -> Self {
        Self {
            is_sending: AtomicBool::new(false),
            is_in_doubt: AtomicBool::new(self.is_in_doubt.load(Ordering::Relaxed)),
        }
    }

    /// Notes that a write is in flight.
    pub(super) fn sending(&self) {
        self.is_sending.store(true, Ordering::Relaxed);
    }

    /// Notes that the server has answered, and that the answer is known.
    pub(super) fn answered(&self) {
        self.is_sending.store(false, Ordering::Relaxed);
    }

    /// Ends an attempt. Returns `true` if a write of this attempt or of an earlier one is in doubt.
    fn end_attempt(&self) -> bool {
        if self.is_sending.swap(false, Ordering::Relaxed) {
            self.is_in_doubt.store(true, Ordering::Relaxed);
        }
        self.is_in_doubt.load(Ordering::Relaxed)
    }
}

/// Runs attempts of a statement that is harmless if carried out twice, until one has an answer, the deadline passes, or another
/// attempt is of no use.
///
/// An attempt on a silent connection is given up. The next one has a new connection, and twice the time to make it. The server
/// may be slow rather than gone, and still work on the first attempt. It must not have to work on more than two, so the second
/// one waits for its answer until the deadline.
pub(super) fn read<T, E, F>(
    operation: &Operation<'_>,
    attempt: impl FnMut() -> F,
) -> impl Future<Output = Result<T, E>>
where
    E: From<StoreError>,
    F: Future<Output = Result<T, AttemptError<E>>>,
{
    until_answered(operation, || false, attempt)
}

/// Runs attempts of a write, like [`read()`]. An attempt notes in `doubt` when it sends the write and when it has the answer.
///
/// If a connection breaks while its write is in flight, and no later attempt finds out whether it was stored, the outcome is
/// unknown. Until then there are further attempts, whatever the server answers: after a fail-over the address may lead to a
/// server that only reads, or that refuses all connections for a while.
pub(super) fn write<T, E, F>(
    operation: &Operation<'_>,
    doubt: &WriteInDoubt,
    attempt: impl FnMut() -> F,
) -> impl Future<Output = Result<T, E>>
where
    E: From<StoreError>,
    F: Future<Output = Result<T, AttemptError<E>>>,
{
    until_answered(operation, || doubt.end_attempt(), attempt)
}

/// Runs the loop of [`read()`] and [`write()`]. `in_doubt` is called after each attempt without an answer.
async fn until_answered<T, E, F>(
    operation: &Operation<'_>,
    in_doubt: impl Fn() -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: From<StoreError>,
    F: Future<Output = Result<T, AttemptError<E>>>,
{
    let state = &operation.attempt;
    let mut left_running = false;
    let mut attempts = 0;
    loop {
        let begun = Instant::now();
        let silence = state.begin();
        let counts = || state.is_with_server() && !(left_running && state.generation().is_some());
        let failure = match silence::watch(silence, operation.deadline, counts, attempt()).await {
            Watched::Done(Ok(answer)) => return Ok(answer),
            Watched::Done(Err(AttemptError::Final(error))) => return Err(error),
            Watched::Done(Err(AttemptError::Failed(failure))) => failure,
            Watched::Silent => {
                left_running |= state.generation().is_some();
                state.want_new();
                Failure::Silent { silence }
            }
            Watched::Late => Failure::Late,
        };
        attempts += 1;
        let in_doubt = in_doubt();
        let lasted = begun.elapsed();
        if lasted >= silence {
            state.double_silence();
        }
        if failure.speaks_for_others()
            && let Some(generation) = state.generation()
        {
            operation.connections.retire(generation);
        }
        let pause = pause_after(&failure, attempts, in_doubt.then_some(lasted));
        let Some(pause) = pause.filter(|pause| Instant::now() + *pause < operation.deadline) else {
            return Err(final_error(failure, in_doubt).into());
        };
        tracing::debug!(error = %failure, attempts, "trying again");
        telemetry::retried();
        tokio::time::sleep(pause).await;
    }
}

/// Returns the backoff before the next attempt, or `None` if another attempt is of no use. `in_doubt` is the duration of the
/// last attempt if a write is in doubt.
fn pause_after(failure: &Failure, attempts: u32, in_doubt: Option<Duration>) -> Option<Duration> {
    let verdict = failure.verdict();
    let again = match verdict {
        Verdict::Over => false,
        _ if in_doubt.is_some() => true,
        Verdict::Ended => true,
        Verdict::Stale | Verdict::Retry => attempts < LOST_RACES,
        Verdict::ReadOnly => attempts < READ_ONLY,
        Verdict::Final | Verdict::Clash => false,
    };
    again.then(|| match (failure, verdict, in_doubt) {
        // The silence was long enough as a backoff.
        (Failure::Silent { .. }, ..) => Duration::ZERO,
        (_, Verdict::Ended, _) | (.., None) => random_pause(attempts),
        // A large write that waits for locks of an earlier attempt must not be sent all the time.
        (.., Some(lasted)) => random_pause(attempts).max(lasted),
    })
}

fn final_error(failure: Failure, in_doubt: bool) -> StoreError {
    if in_doubt {
        StoreError::OutcomeUnknown {
            source: Some(failure.into_source()),
        }
    } else {
        failure.into()
    }
}

/// Returns a random backoff. It is short after the first attempts, because the next connection may be a good one, and random,
/// so that callers who wait do not all come back at the same time.
fn random_pause(attempts: u32) -> Duration {
    let ceiling = Duration::from_millis(2)
        .saturating_mul(1 << attempts.min(8))
        .min(LONGEST_PAUSE);
    ceiling.mul_f64(fastrand::f64())
}
