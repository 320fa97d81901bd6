//! Calls a manager, and records each call and its result.

use super::history::{Clock, Ground, Need, Operation, Outcome, Want};
use crate::model::domain::{Tally, TallyEvent};
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{
    AppendOptions, Appends, CreateOptions, DecideError, DecideOptions, IdempotencyScope,
    LogManager, LogManagerError, LogPosition,
};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

/// The work of one task.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) manager: LogManager<Tally>,
    pub(super) clock: Arc<Clock>,
    pub(super) history: Vec<Operation>,
    /// `true` if the store is disturbed, so that it may fail although the caller is patient.
    pub(super) disturbed: bool,
}

/// The manner of a call, whatever its kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    pub(super) key: Option<(IdempotencyScope, String)>,
    pub(super) deadline: Option<Instant>,
    /// Drops the future if it still waits after this number of polls.
    pub(super) polls: Option<u64>,
}

/// The result of a call: an outcome, and an aggregation.
type Said = (Outcome, Option<(LogPosition, Tally)>);

impl Recorder {
    /// Appends to one log, or creates it.
    pub(super) async fn append(&mut self, want: Want, manner: &Manner) {
        let manager = self.manager.clone();
        let events = events(&want.values, 0);
        let (key, scope) = manner.key();
        let ground = want.ground;
        let log_id = want.log_id;
        let call = async move {
            let written = match ground {
                Ground::After(state) => {
                    let options = append_options(key, scope, manner);
                    manager.append_all(state, &events, &options).await
                }
                Ground::New | Ground::Decided => {
                    let options = CreateOptions {
                        idempotency_key: key,
                        idempotency_scope: scope,
                        deadline: manner.deadline,
                        ..Default::default()
                    };
                    manager.create(&log_id, &events[0], &options).await
                }
            };
            let written = written.map(|state| Outcome::Written(vec![state.position()]));
            (written.unwrap_or_else(outcome), None)
        };
        self.record(vec![want], Vec::new(), manner, call).await;
    }

    /// Appends to several logs, and requires others.
    pub(super) async fn append_across(
        &mut self,
        wants: Vec<Want>,
        needs: Vec<Need>,
        manner: &Manner,
    ) {
        let manager = self.manager.clone();
        let appends = wants.iter().fold(Appends::new(), |appends, want| {
            let events = events(&want.values, 0);
            match want.ground {
                Ground::After(state) => appends.append(state, events),
                Ground::New | Ground::Decided => appends.create(want.log_id, events),
            }
        });
        let appends = needs
            .iter()
            .fold(appends, |appends, need| match need.ground {
                Ground::After(state) => appends.require::<TallyEvent>(state),
                Ground::New | Ground::Decided => appends.require_absent::<TallyEvent>(need.log_id),
            });
        let (key, scope) = manner.key();
        let call = async move {
            let options = append_options(key, scope, manner);
            let written = manager.append_across(appends, &options).await;
            (written.map_or_else(outcome, Outcome::Written), None)
        };
        self.record(wants, needs, manner, call).await;
    }

    /// Decides on these events; a picky decision may also return none or refuse, depending on the state.
    pub(super) async fn decide(&mut self, want: Want, picky: bool, create: bool, manner: &Manner) {
        let manager = self.manager.clone();
        let (key, scope) = manner.key();
        let (log_id, values) = (want.log_id, want.values.clone());
        let call = async move {
            let options = DecideOptions {
                idempotency_key: key,
                idempotency_scope: scope,
                create_if_missing: create,
                deadline: manner.deadline,
                ..Default::default()
            };
            let mut wanted = true;
            let decided = manager
                .decide(&log_id, &options, |tally| {
                    wanted = !picky || tally.order % 5 > 1;
                    match tally.order % 5 {
                        0 if picky => Err(()),
                        1 if picky => Ok(Vec::new()),
                        _ => Ok(events(&values, tally.order)),
                    }
                })
                .await;
            match decided {
                Ok(decided) => {
                    let state = decided.aggregation().position();
                    let outcome = match decided.replay() {
                        Some(replay) => Outcome::Replayed {
                            first_index: replay.first_index,
                            event_count: replay.event_count,
                            state: replay.state,
                        },
                        None if wanted => Outcome::Written(vec![state]),
                        None => Outcome::Nothing,
                    };
                    let tally = decided.aggregation().aggregate().clone();
                    (outcome, Some((state, tally)))
                }
                Err(DecideError::Log(error)) => (outcome(error), None),
                Err(_refused) => (Outcome::Nothing, None),
            }
        };
        self.record(vec![want], Vec::new(), manner, call).await;
    }

    /// Reduces a log.
    pub(super) async fn reduce(&mut self, log_id: LogId) -> Option<LogPosition> {
        let manager = self.manager.clone();
        let call = async move {
            match manager.reduce(&log_id).await {
                Ok(reduced) => {
                    let tally = reduced.aggregate().clone();
                    (Outcome::Nothing, Some((reduced.position(), tally)))
                }
                Err(error) => (outcome(error), None),
            }
        };
        let nothing = (Vec::new(), Vec::new());
        self.record(nothing.0, nothing.1, &Manner::default(), call)
            .await;
        let seen = self.history.last()?.seen.as_ref()?;
        Some(seen.0)
    }

    async fn record(
        &mut self,
        wants: Vec<Want>,
        needs: Vec<Need>,
        manner: &Manner,
        call: impl Future<Output = Said>,
    ) {
        let log_id = wants.first().map(|want| want.log_id);
        let key = manner.key.clone().map(|(scope, key)| {
            let scope = log_id.filter(|_| scope == IdempotencyScope::Log);
            (scope, key)
        });
        let invoked = self.clock.tick();
        let said = within(manner.polls, call).await;
        let returned = said.as_ref().map(|_| self.clock.tick());
        let lost = matches!(said, Some((Outcome::Failed(_) | Outcome::Unknown, _)));
        assert!(
            !lost || self.disturbed || manner.deadline.is_some(),
            "unexpected: {said:?}"
        );
        let (outcome, seen) = said.unwrap_or((Outcome::Unknown, None));
        self.history.push(Operation {
            invoked,
            returned,
            key,
            wants,
            needs,
            outcome,
            seen,
        });
    }
}

impl Manner {
    fn key(&self) -> (Option<String>, IdempotencyScope) {
        let (scope, key) = self.key.clone().unzip();
        (key, scope.unwrap_or_default())
    }
}

fn append_options(key: Option<String>, scope: IdempotencyScope, manner: &Manner) -> AppendOptions {
    AppendOptions {
        idempotency_key: key,
        idempotency_scope: scope,
        deadline: manner.deadline,
        ..Default::default()
    }
}

fn events(values: &[u64], basis: u64) -> Vec<TallyEvent> {
    let values = values.iter();
    values
        .map(|value| TallyEvent::Counted {
            value: *value,
            basis,
        })
        .collect()
}

/// Returns the result, unless the future still waits after this number of polls.
async fn within<T>(polls: Option<u64>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if polls.is_some_and(|polls| polled >= polls) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn outcome(error: LogManagerError) -> Outcome {
    match error {
        LogManagerError::IdempotentReplay {
            event_index,
            event_count,
            state,
            ..
        } => Outcome::Replayed {
            first_index: event_index,
            event_count,
            state,
        },
        LogManagerError::IdempotencyKeyReused {
            log_id,
            event_index,
            ..
        } => Outcome::Reused {
            log_id,
            event_index,
        },
        LogManagerError::ConcurrentAppend { log_id, .. } => Outcome::Conflict(log_id),
        LogManagerError::LogAlreadyExists { log_id, .. } => Outcome::Exists(log_id),
        LogManagerError::LogNotFound { log_id, .. } => Outcome::NotFound(log_id),
        LogManagerError::Store(StoreError::OutcomeUnknown { .. }) => Outcome::Unknown,
        LogManagerError::Store(
            error @ (StoreError::Overloaded
            | StoreError::DeadlineExceeded
            | StoreError::Unavailable { .. }),
        ) => Outcome::Failed(error.to_string()),
        error => panic!("unexpected: {error:?}"),
    }
}
