//! Reduce, decide, append, and again if somebody was faster.

mod answers;
mod attempts;
mod call;
pub(crate) mod decided;
pub(super) mod pending;
pub(super) mod pipeline;
mod until_sent;

pub use decided::Decided;

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::LogId;
use crate::manager::error::{DecideError, LogManagerError, counted};
use crate::manager::telemetry;
use crate::manager::write_options::DecideOptions;
use crate::stores::error::AppendError;
use attempts::Attempts;
use call::{Call, Polled, Write};
use tracing::Instrument;
use until_sent::Turned;

impl<A: Aggregate> LogManager<A> {
    /// Decides what happens next on the log's state, and records it only if the state is still true.
    ///
    /// The closure sees the aggregate and returns the events to append, none to leave things as they are, or an error to
    /// refuse. If somebody else appends first, it is asked again on the new state, so it may run several times and should
    /// do nothing but decide, quickly and without waiting: decisions of this process on the same log take turns. It is first
    /// asked on the cached aggregate, without a read: one round trip if that was current. If another decision on the log is
    /// on its way to the store, it is asked on the state that that one leads to (in which the times of recording are not
    /// final), and both are committed together; nobody hears a result before it is committed. A refusal, and a decision to
    /// do nothing, are reported only after the store has confirmed the state that they were made on, and, with an
    /// idempotency key, that the key is new: the retry of a decision that took effect is a replay, even if the new state
    /// would refuse it.
    ///
    /// A refusal, like a decision to do nothing, was true at some moment of this call: it rests on what was read after the call
    /// began, or on a commit of this process whose events were handed over after that.
    ///
    /// Decisions on one log take their turns in the order of arrival. A closure that takes long holds up the log that it
    /// decides on, and no thread but its own; those who wait for their turn give up at their deadline.
    ///
    /// A panic of the closure reaches the caller, and nothing was written. One of the aggregate's `apply` behind a commit is
    /// an error, since the events are stored.
    ///
    /// A future dropped while it writes may have written its events or not, which a retry with the same idempotency key
    /// finds out.
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::{Aggregate, DecideError, LogManager, LogManagerOptions, event_handler, ids::LogId};
    /// # #[derive(Debug, Clone)] pub enum AccountEvent { Opened, Withdrawn { cents: u64 } }
    /// # #[derive(Debug, Default, Clone, Aggregate)] #[aggregate(event = AccountEvent)] pub struct Account { cents: u64 }
    /// # #[event_handler(AccountEvent)] impl Account {
    /// #     #[on(Opened)] fn open(&mut self) { self.cents = 500; }
    /// #     #[on(Withdrawn)] fn withdraw(&mut self, cents: u64) { self.cents -= cents; }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let accounts = LogManager::<Account>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// # let id = LogId::new();
    /// # accounts.create(&id, &AccountEvent::Opened, &Default::default()).await?;
    /// let withdraw = |cents: u64| move |account: &Account| {
    ///     if account.cents < cents { return Err("too much") }
    ///     Ok([AccountEvent::Withdrawn { cents }])
    /// };
    /// let decided = accounts.decide(&id, &Default::default(), withdraw(300)).await?;
    /// assert_eq!(decided.aggregation().aggregate().cents, 200);
    ///
    /// let refused = accounts.decide(&id, &Default::default(), withdraw(300)).await;
    /// assert!(matches!(refused, Err(DecideError::Refused("too much"))));
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`Refused`](DecideError::Refused) with the closure's own error.
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if there is no log, unless the options let it be created.
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if others were faster at every attempt.
    /// - [`StoredWithoutState`](LogManagerError::StoredWithoutState) if the events are stored, and the state after them could not
    ///   be computed.
    /// - [`DeadlineExceeded`](crate::stores::StoreError::DeadlineExceeded) if the deadline passed before anything was written,
    ///   and [`OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown) if it passed while the store was writing.
    /// - Those of [`append`](LogManager::append) and [`reduce`](LogManager::reduce).
    pub async fn decide<D, I, R>(
        &self,
        log_id: impl Into<LogId>,
        options: &DecideOptions,
        decision: D,
    ) -> Result<Decided<A>, DecideError<R>>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        let log_id = log_id.into();
        let span = tracing::info_span!("decide", aggregate = A::name(), %log_id);
        self.decide_until_current(log_id, options, decision)
            .instrument(span)
            .await
    }

    async fn decide_until_current<D, I, R>(
        &self,
        log_id: LogId,
        options: &DecideOptions,
        mut decision: D,
    ) -> Result<Decided<A>, DecideError<R>>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        let metadata = self.complete(&options.metadata);
        let pipeline = self.inner.pipelines.enter(log_id);
        let call = Call {
            manager: self,
            log_id,
            options,
            metadata,
            pipeline,
        };
        let mut known = None;
        let mut attempts = Attempts::new(options.max_attempts);
        loop {
            let (write, state) = match call.until_sent(&mut known, &mut decision).await? {
                Turned::Sent(write, state) => (write, state),
                Turned::Over(decided) => return Ok(decided),
            };
            let Write { pending, append } = write;
            let answer = match append {
                Polled::Ready(answer) => answer,
                Polled::Pending(append) => append.await,
            };
            match answer {
                Ok(appended) => {
                    telemetry::decided(attempts.made);
                    return Ok(call.decided(&pending, &state, &appended).await?);
                }
                Err(found @ AppendError::Replay(_)) => return Ok(call.replay_found(found).await?),
                Err(
                    error @ (AppendError::Conflict { .. }
                    | AppendError::LogAlreadyExists { .. }
                    | AppendError::LogNotFound { .. }),
                ) => {
                    // The state was never stored, or others have appended since.
                    call.pipeline.forget(&pending);
                    if let Some(predecessor) = &state.predecessor {
                        call.pipeline.forget(predecessor);
                    }
                    let outdated = call.was_outdated(&state);
                    if !attempts.again(outdated).await {
                        telemetry::decided(attempts.made);
                        return Err(counted(error.into()).into());
                    }
                    known = Some(call.verify_after_conflict(state).await?);
                }
                Err(error) => return Err(LogManagerError::from(error).into()),
            }
        }
    }
}
