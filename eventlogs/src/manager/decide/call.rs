//! One call of `decide`: its turns, and what it asks the store.

use super::Decided;
use crate::ids::LogId;
use crate::manager::erased::Boxed;
use crate::manager::fold::Fold;
use crate::manager::turns::{Link, Seat};
use crate::manager::{At, DecideOptions, LogManager, LogManagerError};
use crate::stores::{AppendError, AppendObserver, AppendRequest, Appended, Replay, StoreError};
use crate::{Aggregate, Aggregation, Metadata, telemetry};
use std::sync::Arc;
use std::task::{Context, Poll};

/// What the closure is asked about.
pub(super) struct Ground<A: Aggregate> {
    /// The state; `None` if there is no log yet and it may be created.
    pub(super) aggregation: Option<Aggregation<A>>,
    /// Whether the store has confirmed it in this call. What comes from the cache may be old.
    pub(super) verified: bool,
    /// The decision in front, whose events it includes.
    pub(super) link: Option<Arc<Link<A>>>,
}

/// What came of a turn.
pub(super) enum Step<'a, A: Aggregate, R> {
    /// There is nothing to decide on yet.
    Look,
    /// Events were decided on, and are on their way.
    Sent(Write<'a, A>, Ground<A>),
    /// There is nothing to do, or the closure refused.
    NothingSent(Option<R>, Ground<A>),
}

/// Events on their way to the store.
pub(super) struct Write<'a, A: Aggregate> {
    /// What the next decision may build on.
    pub(super) link: Arc<Link<A>>,
    /// The append, which has been polled once.
    pub(super) append: First<'a, A>,
}

/// What the store answers to an append.
pub(super) type Answer<A> = Result<Appended<<A as Aggregate>::Event>, AppendError>;

/// What came of polling an append once.
pub(super) enum First<'a, A: Aggregate> {
    /// The store has answered.
    Done(Answer<A>),
    /// It has the events, or has no room for them yet.
    Waiting(Boxed<'a, Answer<A>>),
}

/// One call of `decide`.
pub(super) struct Call<'a, A: Aggregate> {
    pub(super) manager: &'a LogManager<A>,
    pub(super) log_id: LogId,
    pub(super) options: &'a DecideOptions,
    /// What is recorded beside the events, asked for once.
    pub(super) metadata: Metadata,
    /// The place among those who decide on the log.
    pub(super) seat: Seat<'a, A>,
}

impl<'a, A: Aggregate> Call<'a, A> {
    /// Decides and hands the events over, in one go.
    pub(super) fn take_turn<D, I, R>(
        &self,
        context: &mut Context<'_>,
        basis: Option<&Basis<A>>,
        decision: &mut D,
    ) -> Result<Step<'a, A, R>, LogManagerError>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        let mut newest = self.seat.turn();
        let below = match newest.as_ref().filter(|link| link.is_sound()) {
            Some(link) => link.latest()?.map(|latest| (Arc::clone(link), latest)),
            None => None,
        };
        let below = below.filter(|(_, latest)| {
            // A look at the store may have seen further than what this process has written.
            let seen = basis.and_then(|basis| basis.aggregation.as_ref());
            seen.is_none_or(|seen| latest.through_index() >= seen.through_index())
        });
        if let Some(Basis {
            aggregation,
            verified: true,
        }) = basis
        {
            let ground = Ground {
                aggregation: aggregation.clone(),
                verified: true,
                link: None,
            };
            match decide_on(ground.aggregation.as_ref(), decision) {
                Ok(events) if events.is_empty() => return Ok(Step::NothingSent(None, ground)),
                Err(refusal) => return Ok(Step::NothingSent(Some(refusal), ground)),
                // What others have handed over since comes first, and is to be decided on as well.
                Ok(_) if below.is_some() => {}
                Ok(events) => return Ok(self.send(context, &mut newest, ground, events)),
            }
        }
        let ground = match (below, basis) {
            (Some((link, latest)), _) => Ground {
                aggregation: Some(latest),
                verified: false,
                link: Some(link),
            },
            (None, Some(basis)) => Ground {
                aggregation: basis.aggregation.clone(),
                verified: basis.verified,
                link: None,
            },
            (None, None) => return Ok(Step::Look),
        };
        Ok(match decide_on(ground.aggregation.as_ref(), decision) {
            Ok(events) if events.is_empty() => Step::NothingSent(None, ground),
            Ok(events) => self.send(context, &mut newest, ground, events),
            Err(refusal) => Step::NothingSent(Some(refusal), ground),
        })
    }

    /// Hands events over to the store, and lets the next decision build on them if the store takes part in that.
    fn send<R>(
        &self,
        context: &mut Context<'_>,
        newest: &mut Option<Arc<Link<A>>>,
        ground: Ground<A>,
        events: Vec<A::Event>,
    ) -> Step<'a, A, R> {
        let link = Link::new(self.log_id, ground.aggregation.clone(), ground.link.clone());
        let observer = Arc::clone(&link) as Arc<dyn AppendObserver<A::Event>>;
        let mut append = self.append(ground.aggregation.as_ref(), events, observer);
        let append = match append.as_mut().poll(context) {
            Poll::Ready(answer) => First::Done(answer),
            Poll::Pending => First::Waiting(append),
        };
        if link.is_queued() {
            *newest = Some(Arc::clone(&link));
        }
        Step::Sent(Write { link, append }, ground)
    }

    fn append(
        &self,
        ground: Option<&Aggregation<A>>,
        events: Vec<A::Event>,
        observer: Arc<dyn AppendObserver<A::Event>>,
    ) -> Boxed<'a, Answer<A>> {
        let (manager, log_id, options) = (self.manager, self.log_id, self.options);
        let state = ground.map(Aggregation::state);
        let metadata = self.metadata.clone();
        Box::pin(async move {
            let mut request = match state {
                Some(state) => AppendRequest::after(state, &events),
                None => AppendRequest::create(log_id, &events),
            };
            options.apply_to(&mut request);
            request.metadata = metadata;
            request.observer = Some(observer);
            // Folding what the closure returned would be wrong wherever an event does not survive its codec unchanged.
            request.return_events = true;
            manager.inner.store.append(request).await
        })
    }

    /// What there is to decide on before anybody has asked the store.
    pub(super) async fn look(&self) -> Result<Basis<A>, LogManagerError> {
        // What is on its way to the cache is newer than what the cache has, and worth having even if it will not be kept.
        let newest = self.manager.inner.cache_writer.on_its_way(self.log_id);
        let known = match newest {
            Some(newest) => Some(newest),
            None => self.manager.cached(self.log_id).await,
        };
        match known {
            Some(aggregation) => Ok(Basis {
                aggregation: Some(aggregation),
                verified: false,
            }),
            None => self.read(None).await,
        }
    }

    /// Has the store confirm a state, or give the one that is true.
    pub(super) async fn verify(&self, ground: Ground<A>) -> Result<Basis<A>, LogManagerError> {
        let Some(link) = ground.link else {
            return self.read(ground.aggregation).await;
        };
        let was_stored = link.is_stored();
        let is_stored = was_stored || self.in_time(async { Ok(link.wait().await) }).await?;
        let confirmed = if is_stored { link.confirmed()? } else { None };
        match confirmed {
            // The commit has been heard of in this call, which is as good as a read.
            Some(aggregation) if !was_stored => Ok(Basis {
                aggregation: Some(aggregation),
                verified: true,
            }),
            Some(aggregation) => self.read(Some(aggregation)).await,
            None => self.read(self.manager.cached(self.log_id).await).await,
        }
    }

    /// Reads what others have appended.
    pub(super) async fn verify_after_conflict(
        &self,
        ground: Ground<A>,
    ) -> Result<Basis<A>, LogManagerError> {
        // A state that includes what was never stored must not be read on from.
        let known = match ground.link {
            Some(link) if link.is_stored() => link.confirmed()?,
            Some(_) => self.manager.cached(self.log_id).await,
            None => ground.aggregation,
        };
        self.read(known).await
    }

    /// The log's state as the store has it now, read on from an earlier one.
    async fn read(&self, earlier: Option<Aggregation<A>>) -> Result<Basis<A>, LogManagerError> {
        // In a box, as all that a decision seldom waits for: its future would have room for it.
        let caught_up = Box::pin(self.manager.catch_up(self.log_id, earlier));
        let aggregation = match self.in_time(caught_up).await {
            Ok(aggregation) => Some(aggregation),
            Err(LogManagerError::LogNotFound { .. }) if self.options.create_if_missing => None,
            Err(error) => return Err(error),
        };
        Ok(Basis {
            aggregation,
            verified: true,
        })
    }

    /// Gives up at the deadline. For what writes nothing.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, LogManagerError>>,
    ) -> Result<T, LogManagerError> {
        match self.options.deadline {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), work)
                .await
                .unwrap_or_else(|_| Err(StoreError::DeadlineExceeded.into())),
            None => work.await,
        }
    }

    /// The answer to a decision whose events are stored.
    pub(super) async fn decided(
        &self,
        link: &Arc<Link<A>>,
        ground: &Ground<A>,
        appended: &Appended<A::Event>,
    ) -> Result<Decided<A>, LogManagerError> {
        let aggregation = if link.is_queued() {
            if let Some(confirmed) = link.confirmed()? {
                confirmed
            } else {
                let at = At::Index(appended.state.index());
                let reduced = Box::pin(self.manager.reduce_at(self.log_id, at)).await;
                // The events are stored: an error that says otherwise would be wrong.
                reduced.map_err(|error| StoreError::OutcomeUnknown {
                    source: Some(error.into()),
                })?
            }
        } else {
            let mut fold = ground
                .aggregation
                .as_ref()
                .map_or_else(|| Fold::from_the_start(self.log_id), Fold::from_aggregation);
            fold.apply(&appended.events)?;
            let log_id = self.log_id;
            fold.finish()
                .ok_or(LogManagerError::LogNotFound { log_id })?
        };
        self.manager.inner.cache_writer.offer(aggregation.clone());
        Ok(Decided {
            aggregation,
            replay: None,
        })
    }

    /// The answer to a decision to leave things as they are, on a verified state.
    pub(super) async fn nothing_to_do(
        &self,
        aggregation: Option<Aggregation<A>>,
    ) -> Result<Decided<A>, LogManagerError> {
        if let Some(replayed) = self.replayed().await? {
            return Ok(replayed);
        }
        // There is no state to return where there is no log: it would be a made-up one.
        let log_id = self.log_id;
        let aggregation = aggregation.ok_or(LogManagerError::LogNotFound { log_id })?;
        Ok(Decided {
            aggregation,
            replay: None,
        })
    }

    /// Whether the key was used before, asked before the caller hears a refusal.
    pub(super) async fn replayed(&self) -> Result<Option<Decided<A>>, LogManagerError> {
        let Some(key) = self.options.key(self.log_id) else {
            return Ok(None);
        };
        let found = async { Ok(self.manager.inner.store.find_key(key).await?) };
        match self.in_time(found).await?.first() {
            Some(replay) => self.replay_of(*replay).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn replay_of(&self, replay: Replay) -> Result<Decided<A>, LogManagerError> {
        if self.options.is_reused(&replay, self.log_id) {
            return Err(telemetry::failed(LogManagerError::reused(replay)));
        }
        telemetry::replayed();
        let earlier = self.manager.cached(self.log_id).await;
        let caught_up = Box::pin(self.manager.catch_up(self.log_id, earlier));
        let aggregation = self.in_time(caught_up).await?;
        Ok(Decided {
            aggregation,
            replay: Some(replay),
        })
    }
}

/// What is known of the log without what is on its way.
pub(super) struct Basis<A> {
    /// The state; `None` if there is no log yet and it may be created.
    pub(super) aggregation: Option<Aggregation<A>>,
    /// Whether the store has confirmed it in this call.
    pub(super) verified: bool,
}

/// Asks the closure. Its events are collected at once: the iterator may not be held across an await, it need not be `Send`.
fn decide_on<A: Aggregate, I: IntoIterator<Item = A::Event>, R>(
    aggregation: Option<&Aggregation<A>>,
    decision: &mut impl FnMut(&A) -> Result<I, R>,
) -> Result<Vec<A::Event>, R> {
    let decided = match aggregation {
        Some(aggregation) => decision(aggregation.aggregate()),
        None => decision(&A::default()),
    };
    decided.map(|events| events.into_iter().collect())
}
