//! Reduces, decides and appends; decides again if another write was faster.

pub(crate) mod across;
mod answers;
mod attempts;
mod call;
pub(crate) mod decided;
pub(crate) mod outcome;
pub(super) mod pending;
pub(super) mod pipeline;
mod until_sent;

pub use decided::Decided;

use super::LogManager;
use crate::aggregate::Aggregate;
use crate::ids::{IntoLogId, LogId};
use crate::manager::decide::outcome::{DecisionOutcome, IntoEvents};
use crate::manager::error::{DecideError, LogManagerError};
use crate::manager::telemetry::labels::Operation;
use crate::manager::write_options::DecideOptions;
use crate::stores::error::AppendError;
use attempts::Attempts;
use call::{Call, Polled, Write};
use tracing::Instrument;
use until_sent::Turned;

impl<A: Aggregate> LogManager<A> {
    /// Decides which events to append, based on the log's state, and appends them only if the log still has that state.
    ///
    /// The closure gets the aggregate. It returns the events to append, no events to change nothing, or an error to refuse.
    /// It should do nothing but decide, quickly and without waiting. The events are one event, an `Option`, an array or a `Vec`
    /// ([`IntoEvents`]). A decision that never refuses returns
    /// `Ok::<_, std::convert::Infallible>(event)`.
    ///
    /// - *When it runs:* in its turn. Decisions on one log by this manager and its clones take turns, in the order of arrival.
    ///   A slow closure holds up its own log and its own thread, and nothing else.
    /// - *How often:* once or several times. It runs again on the new state if another write came first (up to
    ///   [`max_attempts`](DecideOptions::max_attempts) attempts). It also runs again if the cached state was out of date. If it
    ///   refuses or changes nothing on a state that is not confirmed, it runs again on the confirmed one.
    /// - *What it sees:* at first the cached aggregate; the store is not read. If the cached aggregate is current, the whole
    ///   call takes one round trip to the store. If another decision on the log is in flight, the closure sees the
    ///   *speculative* state after the events of that decision. In this state the times of recording are not final. The store
    ///   commits the two decisions together where it can.
    /// - *What is confirmed before it is reported:* every result. Events are reported after they are committed. A refusal, and
    ///   a decision to change nothing, are reported after the store has confirmed the state that they were made on. That state
    ///   is no older than the call. It was read after the call began, or it is the result of another decision of this manager
    ///   or a clone. The events of that decision were handed over to the store after the call began, and are committed.
    /// - *Retries:* with an idempotency key, a refusal and a decision to change nothing are reported only if the key is new. So
    ///   the retry of a decision that took effect is a [replay](Decided::is_replay), even if the new state would refuse it.
    /// - *Panics:* a panic of the closure reaches the caller, and nothing is written. A panic of the aggregate's `apply` after
    ///   a commit becomes an error, because the events are stored.
    /// - *Drops:* if the future is dropped while it writes, the events may be stored or not. A retry with the same idempotency
    ///   key finds out.
    /// - *Deadline:* at the [deadline](DecideOptions::deadline) the call gives up waiting for its turn or for a read. The store
    ///   observes the deadline while it writes. A closure that runs is not interrupted.
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
    /// assert_eq!(decided.aggregate().cents, 200);
    ///
    /// let refused = accounts.decide(&id, &Default::default(), withdraw(300)).await;
    /// assert!(matches!(refused, Err(DecideError::Refused("too much"))));
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`Refused`](DecideError::Refused) with the closure's own error.
    /// - [`LogNotFound`](LogManagerError::LogNotFound) if the log has no events. With
    ///   [`create_if_missing`](DecideOptions::create_if_missing), this error occurs only if the closure also returned none.
    /// - [`UnexpectedIndex`](LogManagerError::UnexpectedIndex) if the log does not end at the
    ///   [`expected_index`](DecideOptions::expected_index) of the options.
    /// - [`ConcurrentAppend`](LogManagerError::ConcurrentAppend) if another write was faster in every attempt.
    /// - [`StoredWithoutState`](LogManagerError::StoredWithoutState) if the events are stored, but the state after them could
    ///   not be computed.
    /// - [`DeadlineExceeded`](crate::stores::StoreError::DeadlineExceeded) if the deadline passed before anything was written.
    /// - [`OutcomeUnknown`](crate::stores::StoreError::OutcomeUnknown) if the deadline passed while the store was writing.
    /// - The others of [`append`](LogManager::append) and [`reduce`](LogManager::reduce), but not
    ///   [`IdempotentReplay`](LogManagerError::IdempotentReplay): a replay is a result.
    pub async fn decide<D, O>(
        &self,
        log_id: impl IntoLogId,
        options: &DecideOptions,
        mut decision: D,
    ) -> Result<Decided<A>, DecideError<O::Refusal>>
    where
        D: FnMut(&A) -> O,
        O: DecisionOutcome<Events: IntoEvents<A::Event>>,
    {
        self.decide_with_index(log_id, options, |aggregate, _| decision(aggregate))
            .await
    }

    /// Decides as [`decide`](LogManager::decide) does. The closure also gets the index of the last event that the aggregate
    /// includes, or `None` if there is no log yet.
    ///
    /// In a speculative state, the index is that of an event that may not be stored in the end. Then the closure runs again.
    ///
    /// ```
    /// # use eventlogs::caches::fake::FakeAggregationCache;
    /// # use eventlogs::stores::fake::FakeEventStore;
    /// # use eventlogs::__example::{Counter, CounterEvent};
    /// # use eventlogs::{LogManager, LogManagerOptions, ids::LogId};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let counters = LogManager::<Counter>::new(FakeEventStore::new(), FakeAggregationCache::new(), LogManagerOptions::default());
    /// # let id = LogId::new();
    /// # counters.create(&id, &CounterEvent::Added { amount: 1 }, &Default::default()).await?;
    /// // At most 100 events per log.
    /// let add = |_: &Counter, index: Option<u64>| match index {
    ///     Some(99..) => Err("the log is full"),
    ///     _ => Ok(CounterEvent::Added { amount: 2 }),
    /// };
    /// let decided = counters.decide_with_index(id, &Default::default(), add).await?;
    /// assert_eq!(decided.first_index(), Some(1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`decide`](LogManager::decide).
    pub async fn decide_with_index<D, O>(
        &self,
        log_id: impl IntoLogId,
        options: &DecideOptions,
        decision: D,
    ) -> Result<Decided<A>, DecideError<O::Refusal>>
    where
        D: FnMut(&A, Option<u64>) -> O,
        O: DecisionOutcome<Events: IntoEvents<A::Event>>,
    {
        let log_id = log_id.into_log_id();
        let call = self.inner.measures.begin(Operation::Decide);
        let span = tracing::info_span!("decide", aggregate = A::name(), %log_id);
        let deciding = self.decide_until_current(log_id, options, decision);
        call.end_decision(deciding.instrument(span).await, Decided::is_replay)
    }

    async fn decide_until_current<D, O>(
        &self,
        log_id: LogId,
        options: &DecideOptions,
        mut decision: D,
    ) -> Result<Decided<A>, DecideError<O::Refusal>>
    where
        D: FnMut(&A, Option<u64>) -> O,
        O: DecisionOutcome<Events: IntoEvents<A::Event>>,
    {
        let metadata = self.complete(&options.metadata);
        let pipeline = self.inner.pipelines.enter(log_id);
        let call = Call {
            manager: self,
            log_id,
            options,
            create_if_missing: options.create_if_missing,
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
                    self.inner.measures.decided(attempts.made);
                    return Ok(call.decided(&pending, &state, appended).await?);
                }
                Err(found @ AppendError::Replay(_)) => return Ok(call.replay_found(found).await?),
                Err(
                    error @ (AppendError::Conflict { .. }
                    | AppendError::LogAlreadyExists { .. }
                    | AppendError::LogNotFound { .. }),
                ) => {
                    // The state was never stored, or another write was appended after it.
                    call.pipeline.forget(&pending);
                    if let Some(predecessor) = &state.predecessor {
                        call.pipeline.forget(predecessor);
                    }
                    let outdated = call.was_outdated(&state);
                    if !attempts.again(outdated).await {
                        self.inner.measures.decided(attempts.made);
                        return Err(self.inner.measures.counted(error.into()).into());
                    }
                    known = Some(call.verify_after_conflict(state).await?);
                }
                Err(error) => return Err(LogManagerError::from(error).into()),
            }
        }
    }
}
