//! Reduce, decide, append, and again if somebody was faster.

use super::fold::Fold;
use super::{DecideError, DecideOptions, LogManager, LogManagerError};
use crate::ids::LogId;
use crate::stores::{AppendError, AppendRequest, Appended, Replay};
use crate::{Aggregate, Aggregation};
use std::time::Duration;
use tracing::Instrument;

/// What [`LogManager::decide`] did.
#[derive(Debug, Clone)]
pub struct Decided<A> {
    /// The state after the decision.
    aggregation: Aggregation<A>,
    /// The earlier write, if the key was used before.
    replay: Option<Replay>,
}

impl<A> Decided<A> {
    /// The log's state after the decision; after a replay, its current state.
    #[must_use]
    pub const fn aggregation(&self) -> &Aggregation<A> {
        &self.aggregation
    }

    /// Takes the aggregation out.
    #[must_use]
    pub fn into_aggregation(self) -> Aggregation<A> {
        self.aggregation
    }

    /// Where the events of an earlier call with the same idempotency key are; `None` if this call decided.
    #[must_use]
    pub const fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    /// Whether an earlier call with the same idempotency key had already decided.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        self.replay.is_some()
    }
}

/// What the closure is asked about.
struct Basis<A> {
    /// The state; `None` if there is no log yet and it may be created.
    aggregation: Option<Aggregation<A>>,
    /// Whether the store has confirmed it in this call. What comes from the cache may be old.
    verified: bool,
}

impl<A: Aggregate> LogManager<A> {
    /// Decides what happens next on the log's state, and records it only if the state is still true.
    ///
    /// The closure sees the aggregate and returns the events to append, none to leave things as they are, or an error to
    /// refuse. If somebody else appends first, it is asked again on the new state, so it may run several times and should
    /// do nothing but decide. It is first asked on the cached aggregate, without a read: one round trip if that was
    /// current. A refusal, and a decision to do nothing, are reported only after the store has confirmed the state that
    /// they were made on, and, with an idempotency key, that the key is new: the retry of a decision that took effect is
    /// a replay, even if the new state would refuse it.
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
    /// - Those of [`append`](LogManager::append) and [`reduce`](LogManager::reduce).
    pub async fn decide<D, I, R>(
        &self,
        log_id: &LogId,
        options: &DecideOptions,
        decision: D,
    ) -> Result<Decided<A>, DecideError<R>>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        let span = tracing::info_span!("decide", aggregate = A::name(), %log_id);
        self.decide_until_current(*log_id, options, decision)
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
        let mut basis = match self.cached(log_id).await {
            Some(aggregation) => Basis {
                aggregation: Some(aggregation),
                verified: false,
            },
            None => self.verified(log_id, None, options).await?,
        };
        let mut attempt = 1;
        loop {
            let decided = match &basis.aggregation {
                Some(aggregation) => decision(aggregation.aggregate()),
                None => decision(&A::default()),
            };
            // Collected at once: neither the iterator nor the refusal may be held across an await, they need not be Send.
            let events = match decided.map(|events| events.into_iter().collect::<Vec<_>>()) {
                Ok(events) if !events.is_empty() => events,
                _ if !basis.verified => {
                    basis = self.verified(log_id, basis.aggregation, options).await?;
                    continue;
                }
                Ok(_) => {
                    return self
                        .nothing_to_do(log_id, basis, options)
                        .await
                        .map_err(DecideError::Log);
                }
                Err(refusal) => {
                    return match self.replayed(log_id, options).await? {
                        Some(replayed) => Ok(replayed),
                        None => Err(DecideError::Refused(refusal)),
                    };
                }
            };
            match self
                .append_decision(log_id, basis.aggregation.as_ref(), &events, options)
                .await
            {
                Ok(appended) => {
                    return Ok(self.decided(log_id, basis.aggregation.as_ref(), &appended)?);
                }
                Err(AppendError::Replay(replay)) => {
                    return Ok(self.replay_of(log_id, replay).await?);
                }
                Err(
                    error @ (AppendError::Conflict { .. }
                    | AppendError::LogAlreadyExists { .. }
                    | AppendError::LogNotFound { .. }),
                ) => {
                    if attempt >= options.max_attempts {
                        return Err(LogManagerError::from(error).into());
                    }
                    back_off(attempt).await;
                    attempt += 1;
                    basis = self.verified(log_id, basis.aggregation, options).await?;
                }
                Err(error) => return Err(LogManagerError::from(error).into()),
            }
        }
    }

    /// The log's state as the store has it now.
    async fn verified(
        &self,
        log_id: LogId,
        earlier: Option<Aggregation<A>>,
        options: &DecideOptions,
    ) -> Result<Basis<A>, LogManagerError> {
        match self.catch_up(log_id, earlier).await {
            Ok(aggregation) => Ok(Basis {
                aggregation: Some(aggregation),
                verified: true,
            }),
            Err(LogManagerError::LogNotFound { .. }) if options.create_if_missing => Ok(Basis {
                aggregation: None,
                verified: true,
            }),
            Err(error) => Err(error),
        }
    }

    async fn append_decision(
        &self,
        log_id: LogId,
        basis: Option<&Aggregation<A>>,
        events: &[A::Event],
        options: &DecideOptions,
    ) -> Result<Appended<A::Event>, AppendError> {
        let mut request = match basis {
            Some(aggregation) => AppendRequest::after(aggregation.state(), events),
            None => AppendRequest::create(log_id, events),
        };
        request.idempotency_key = options.idempotency_key.as_deref();
        request.occurred_at = options.occurred_at;
        request.log_type = Some(A::name());
        // Folding what the closure returned would be wrong wherever an event does not survive its codec unchanged.
        request.return_events = true;
        self.inner.store.append(request).await
    }

    /// Folds the appended events onto the state that they were decided on.
    fn decided(
        &self,
        log_id: LogId,
        basis: Option<&Aggregation<A>>,
        appended: &Appended<A::Event>,
    ) -> Result<Decided<A>, LogManagerError> {
        let mut fold = basis.map_or_else(|| Fold::from_the_start(log_id), Fold::from_aggregation);
        fold.apply(&appended.events)?;
        let aggregation = fold
            .finish()
            .ok_or(LogManagerError::LogNotFound { log_id })?;
        self.inner.cache_writer.offer(aggregation.clone());
        Ok(Decided {
            aggregation,
            replay: None,
        })
    }

    /// The answer to a decision to leave things as they are, on a verified state.
    async fn nothing_to_do(
        &self,
        log_id: LogId,
        basis: Basis<A>,
        options: &DecideOptions,
    ) -> Result<Decided<A>, LogManagerError> {
        if let Some(replayed) = self.replayed(log_id, options).await? {
            return Ok(replayed);
        }
        // There is no state to return where there is no log: it would be a made-up one.
        let aggregation = basis
            .aggregation
            .ok_or(LogManagerError::LogNotFound { log_id })?;
        Ok(Decided {
            aggregation,
            replay: None,
        })
    }

    /// Whether the key was used before, asked before the caller hears a refusal.
    async fn replayed(
        &self,
        log_id: LogId,
        options: &DecideOptions,
    ) -> Result<Option<Decided<A>>, LogManagerError> {
        let Some(key) = &options.idempotency_key else {
            return Ok(None);
        };
        match self.inner.store.find_key(key).await? {
            Some(replay) => self.replay_of(log_id, replay).await.map(Some),
            None => Ok(None),
        }
    }

    async fn replay_of(
        &self,
        log_id: LogId,
        replay: Replay,
    ) -> Result<Decided<A>, LogManagerError> {
        if replay.state.log_id() != log_id {
            return Err(LogManagerError::reused(replay));
        }
        let earlier = self.cached(log_id).await;
        let aggregation = self.catch_up(log_id, earlier).await?;
        Ok(Decided {
            aggregation,
            replay: Some(replay),
        })
    }
}

/// Waits a little, and differently long in every loser of a race, before the next attempt. The first one is free.
async fn back_off(attempt: u32) {
    let ceiling = 1 << attempt.min(6);
    if attempt > 1 {
        tokio::time::sleep(Duration::from_micros(fastrand::u64(0..ceiling * 500))).await;
    }
}
