//! Calls a manager, and records each call and its result.

use super::history::{Clock, Earlier, Found, Ground, Look, Operation, Outcome, Want};
use crate::model::domain::{Tally, TallyEvent};
use eventlogs::ids::LogId;
use eventlogs::stores::{Replay, StoreError};
use eventlogs::{
    AppendOptions, Appends, CreateOptions, DecideError, DecideOptions, DecidedLog,
    IdempotencyScope, LogManager, LogManagerError, LogPosition, across,
};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
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

/// The result of a call: an outcome, and the aggregations that came with it.
type Said = (Outcome, Vec<(LogPosition, Tally)>);

/// What the closure of a decision has seen last. It is known even if the future of the decision was dropped.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Look>>>);

impl Seen {
    fn note(&self, logs: &[LogId], tallies: &[&Tally]) {
        let looks = logs.iter().zip(tallies).map(|(log_id, tally)| Look {
            log_id: *log_id,
            found: Found::Tally((*tally).clone()),
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = looks.collect();
    }

    fn looks(&self) -> Vec<Look> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A decision on several logs.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The logs, in the order of the call.
    pub(super) logs: Vec<LogId>,
    /// Those of them that get events.
    pub(super) wants: Vec<Want>,
    /// `true` if it may also return no events or refuse, depending on the states.
    pub(super) picky: bool,
    /// `true` if logs may be missing.
    pub(super) create: bool,
}

impl Plan {
    /// Returns the events for each log.
    fn decide(&self, tallies: &[&Tally]) -> Result<Vec<Vec<TallyEvent>>, ()> {
        let orders = tallies.iter().map(|tally| tally.order);
        let order = orders.fold(0, u64::wrapping_add);
        let lists = self.logs.iter().zip(tallies).map(|(log_id, tally)| {
            let mut wants = self.wants.iter();
            let want = wants.find(|want| want.log_id == *log_id);
            want.map_or_else(Vec::new, |want| events(&want.values, tally.order))
        });
        match order % 5 {
            0 if self.picky => Err(()),
            1 if self.picky => Ok(vec![Vec::new(); self.logs.len()]),
            _ => Ok(lists.collect()),
        }
    }
}

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
            (written.unwrap_or_else(outcome), Vec::new())
        };
        self.record(vec![want], &Seen::default(), manner, call)
            .await;
    }

    /// Appends to several logs, if further ones are still as required.
    pub(super) async fn append_across(
        &mut self,
        wants: Vec<Want>,
        required: Vec<Look>,
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
        let appends = required
            .iter()
            .fold(appends, |appends, look| match look.found {
                Found::Events(end) => appends.require::<TallyEvent>(end),
                _ => appends.require_absent::<TallyEvent>(look.log_id),
            });
        let (key, scope) = manner.key();
        let call = async move {
            let options = append_options(key, scope, manner);
            let written = manager.append_across(appends, &options).await;
            (written.map_or_else(outcome, Outcome::Written), Vec::new())
        };
        let seen = Seen(Arc::new(Mutex::new(required)));
        self.record(wants, &seen, manner, call).await;
    }

    /// Decides on these events; a picky decision may also return none or refuse, depending on the state.
    pub(super) async fn decide(&mut self, want: Want, picky: bool, create: bool, manner: &Manner) {
        let manager = self.manager.clone();
        let (key, scope) = manner.key();
        let (log_id, values) = (want.log_id, want.values.clone());
        let seen = Seen::default();
        let noted = seen.clone();
        let call = async move {
            let options = decide_options(key, scope, create, manner);
            let mut wanted = true;
            let decided = manager
                .decide(&log_id, &options, |tally| {
                    noted.note(&[log_id], &[tally]);
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
                        Some(replay) => Outcome::Replayed((*replay).into()),
                        None if wanted => Outcome::Written(vec![state]),
                        None => Outcome::Nothing,
                    };
                    let tally = decided.aggregation().aggregate().clone();
                    (outcome, vec![(state, tally)])
                }
                Err(DecideError::Log(error)) => (outcome(error), Vec::new()),
                Err(_refused) => (Outcome::Nothing, Vec::new()),
            }
        };
        self.record(vec![want], &seen, manner, call).await;
    }

    /// Decides on several logs.
    pub(super) async fn decide_across(&mut self, plan: Plan, manner: &Manner) {
        let manager = self.manager.clone();
        let (key, scope) = manner.key();
        let wants = plan.wants.clone();
        let seen = Seen::default();
        let noted = seen.clone();
        let call = async move {
            let options = decide_options(key, scope, plan.create, manner);
            let ask = |tallies: &[&Tally]| {
                noted.note(&plan.logs, tallies);
                plan.decide(tallies)
            };
            let decided = match plan.logs[..] {
                [one, two] => across(((&manager, one), (&manager, two)))
                    .decide(&options, |one, two| {
                        let lists = ask(&[one, two])?;
                        Ok(<(_, _)>::from(exactly(lists)))
                    })
                    .await
                    .map(|decided| {
                        let (one, two) = decided.logs().clone();
                        said(decided.replay(), &[one, two])
                    }),
                _ => manager
                    .decide_each(&plan.logs, &options, ask)
                    .await
                    .map(|decided| said(decided.replay(), decided.logs())),
            };
            match decided {
                Ok(said) => said,
                Err(DecideError::Log(error)) => (outcome(error), Vec::new()),
                Err(_refused) => (Outcome::Nothing, Vec::new()),
            }
        };
        self.record(wants, &seen, manner, call).await;
    }

    /// Reduces a log.
    pub(super) async fn reduce(&mut self, log_id: LogId) -> Option<LogPosition> {
        let manager = self.manager.clone();
        let call = async move {
            match manager.reduce(&log_id).await {
                Ok(reduced) => {
                    let tally = reduced.aggregate().clone();
                    (Outcome::Nothing, vec![(reduced.position(), tally)])
                }
                Err(error) => (outcome(error), Vec::new()),
            }
        };
        self.record(Vec::new(), &Seen::default(), &Manner::default(), call)
            .await;
        let (state, _) = self.history.last()?.seen.first()?;
        Some(*state)
    }

    async fn record(
        &mut self,
        wants: Vec<Want>,
        looks: &Seen,
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
        let (outcome, seen) = said.unwrap_or((Outcome::Unknown, Vec::new()));
        self.history.push(Operation {
            invoked,
            returned,
            key,
            wants,
            looks: looks.looks(),
            outcome,
            seen,
        });
    }
}

impl Manner {
    /// Leaves out a key that is scoped to one log.
    pub(super) fn of_all_logs(mut self) -> Self {
        let global = |(scope, _): &(IdempotencyScope, String)| *scope == IdempotencyScope::Global;
        self.key = self.key.filter(global);
        self
    }

    fn key(&self) -> (Option<String>, IdempotencyScope) {
        let (scope, key) = self.key.clone().unzip();
        (key, scope.unwrap_or_default())
    }
}

/// Returns the lists of exactly this number of logs.
fn exactly<T: std::fmt::Debug, const N: usize>(lists: Vec<T>) -> [T; N] {
    lists.try_into().expect("a list per log")
}

/// Returns the result of a decision on several logs that did not fail.
fn said(replay: &[Replay], logs: &[DecidedLog<Tally>]) -> Said {
    let written: Vec<_> = logs.iter().filter_map(DecidedLog::appended).collect();
    let outcome = if !replay.is_empty() {
        Outcome::ReplayedAll(replay.iter().copied().map(Into::into).collect())
    } else if written.is_empty() {
        Outcome::Nothing
    } else {
        Outcome::Written(written)
    };
    let seen = logs.iter().filter_map(DecidedLog::aggregation);
    let seen = seen.map(|log| (log.position(), log.aggregate().clone()));
    (outcome, seen.collect())
}

fn decide_options(
    key: Option<String>,
    scope: IdempotencyScope,
    create: bool,
    manner: &Manner,
) -> DecideOptions {
    DecideOptions {
        idempotency_key: key,
        idempotency_scope: scope,
        create_if_missing: create,
        deadline: manner.deadline,
        ..Default::default()
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
        } => Outcome::Replayed(Earlier {
            first_index: event_index,
            event_count,
            state,
        }),
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
