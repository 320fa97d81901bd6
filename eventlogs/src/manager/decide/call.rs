//! One call of `decide`: its turns, and what it asks the store.

use crate::aggregate::Aggregate;
use crate::aggregation::Aggregation;
use crate::ids::LogId;
use crate::manager::LogManager;
use crate::manager::deadline;
use crate::manager::error::LogManagerError;
use crate::manager::link::{Link, Unfolded};
use crate::manager::turns::Seat;
use crate::manager::write_options::DecideOptions;
use crate::metadata::Metadata;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::request::{AppendObserver, AppendRequest, Appended};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::MutexGuard;

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
    /// The events in front are being folded; then it can go on.
    Busy(Arc<Link<A>>),
    /// The events in front cannot be folded before it is known what becomes of them.
    Blocked(Arc<Link<A>>),
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
    Waiting(BoxFuture<'a, Answer<A>>),
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
    /// Waits for the turn, unless it is too late for it.
    pub(super) async fn turn(&self) -> Result<MutexGuard<'_, ()>, LogManagerError> {
        let passed = |deadline| deadline <= Instant::now();
        if self.options.deadline.is_some_and(passed) {
            return Err(StoreError::DeadlineExceeded.into());
        }
        self.in_time(async { Ok(self.seat.turn().await) }).await
    }

    /// Decides and hands the events over, in one go. To be called by whoever has the turn.
    pub(super) fn take_turn<D, I, R>(
        &self,
        context: &mut Context<'_>,
        basis: Option<&Basis<A>>,
        decision: &mut D,
    ) -> Step<'a, A, R>
    where
        D: FnMut(&A) -> Result<I, R>,
        I: IntoIterator<Item = A::Event>,
    {
        let below = match self.seat.newest() {
            Some(link) => match link.latest() {
                Ok(latest) => Some((link, latest)),
                Err(Unfolded::Busy(link)) => return Step::Busy(link),
                // The time at which it will have been recorded may be all that the aggregate misses.
                Err(_) if !link.is_settled() => return Step::Blocked(link),
                Err(_) => None,
            },
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
                Ok(events) if events.is_empty() => return Step::NothingSent(None, ground),
                Err(refusal) => return Step::NothingSent(Some(refusal), ground),
                // What others have handed over since comes first, and is to be decided on as well.
                Ok(_) if below.is_some() => {}
                Ok(events) => return self.send(context, ground, events),
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
            (None, None) => return Step::Look,
        };
        match decide_on(ground.aggregation.as_ref(), decision) {
            Ok(events) if events.is_empty() => Step::NothingSent(None, ground),
            Ok(events) => self.send(context, ground, events),
            Err(refusal) => Step::NothingSent(Some(refusal), ground),
        }
    }

    /// Hands events over to the store, and lets the next decision build on them if the store takes part in that.
    fn send<R>(
        &self,
        context: &mut Context<'_>,
        ground: Ground<A>,
        events: Vec<A::Event>,
    ) -> Step<'a, A, R> {
        let number = self.seat.next_number();
        let (decided_on, below) = (ground.aggregation.clone(), ground.link.clone());
        let link = Link::new(self.log_id, number, decided_on, below);
        let observer = Arc::clone(&link) as Arc<dyn AppendObserver<A::Event>>;
        let mut append = self.append(ground.aggregation.as_ref(), events, observer);
        let append = match append.as_mut().poll(context) {
            Poll::Ready(answer) => First::Done(answer),
            Poll::Pending => First::Waiting(append),
        };
        if link.is_queued() {
            self.seat.hand_over(&link);
        }
        Step::Sent(Write { link, append }, ground)
    }

    fn append(
        &self,
        ground: Option<&Aggregation<A>>,
        events: Vec<A::Event>,
        observer: Arc<dyn AppendObserver<A::Event>>,
    ) -> BoxFuture<'a, Answer<A>> {
        let (manager, log_id, options) = (self.manager, self.log_id, self.options);
        let state = ground.map(Aggregation::state);
        let metadata = self.metadata.clone();
        Box::pin(async move {
            let mut request = match state {
                Some(state) => AppendRequest::after(state, &events),
                None => AppendRequest::create(log_id, &events),
            };
            request.context = options.context(log_id, metadata);
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
    ///
    /// A commit is as good as a read only if the write was handed over in this call. Of another one the answer may have been
    /// on its way for long, and somebody else may have appended, and been told so, before this call began.
    pub(super) async fn verify(&self, ground: Ground<A>) -> Result<Basis<A>, LogManagerError> {
        let Some(link) = ground.link else {
            return self.read(ground.aggregation).await;
        };
        self.in_time(async { Ok(link.wait().await) }).await?;
        match self.confirmed(&link).await? {
            Some(aggregation) if self.seat.saw_handed_over(&link) => Ok(Basis {
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
        let known = match ground.link {
            // A state that includes what was never stored must not be read on from.
            Some(link) => match self.confirmed(&link).await? {
                Some(confirmed) => Some(confirmed),
                None => self.manager.cached(self.log_id).await,
            },
            None => ground.aggregation,
        };
        self.read(known).await
    }

    /// The state after a link's events, if they are stored and that is known.
    async fn confirmed(
        &self,
        link: &Arc<Link<A>>,
    ) -> Result<Option<Aggregation<A>>, LogManagerError> {
        if !link.is_stored() {
            return Ok(None);
        }
        let confirmed = self.in_time(async { Ok(link.confirmed().await) });
        Ok(confirmed.await?.ok())
    }

    /// Whether a conflict is no fault of this attempt: what it was decided on has not happened, or was already old when this
    /// call began, as what a cache holds may be.
    pub(super) fn is_misled(&self, ground: &Ground<A>) -> bool {
        match &ground.link {
            Some(link) => !link.is_stored() || !self.seat.saw_handed_over(link),
            None => !ground.verified,
        }
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
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, LogManagerError>>,
    ) -> Result<T, LogManagerError> {
        deadline::in_time(self.options.deadline, work).await
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
