//! Calls a manager as a request demands.

use super::domain::{Tally, TallyEvent};
use super::request::{self, Action, Answer, Key, Request};
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregation, AppendOptions, Appends, CreateOptions, DecideError, DecideOptions, Decided,
    DecidedLog, EventRecord, LogManager, LogManagerError, across,
};
use std::time::Duration;

/// The result, and the aggregations that came with it.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) answer: Answer,
    /// Compared with the logs once those can be read as a whole: the model does not know the times of recording.
    pub(super) aggregations: Vec<Aggregation<Tally>>,
}

impl Observed {
    fn of(answer: Result<Answer, LogManagerError>) -> Self {
        Self {
            answer: answer.unwrap_or_else(refused),
            aggregations: Vec::new(),
        }
    }

    fn with(answer: Answer, aggregation: Aggregation<Tally>) -> Self {
        Self {
            answer,
            aggregations: vec![aggregation],
        }
    }
}

/// Carries out a request.
pub(super) async fn run(manager: LogManager<Tally>, request: Request) -> Observed {
    match &request.action {
        Action::Create { log_id, key } => {
            let event = &request.events(0, 1, 0)[0];
            let options = create_options(&request, key.as_ref());
            let created = manager.create(log_id, event, &options).await;
            Observed::of(created.map(|state| Answer::Written(vec![state.position()])))
        }
        Action::Append { state, events, key } => {
            let options = append_options(&request, key.as_ref());
            let events = request.events(0, *events, 0);
            let appended = match events.as_slice() {
                [event] => manager.append(*state, event, &options).await,
                events => manager.append_all(*state, events, &options).await,
            };
            Observed::of(appended.map(|state| Answer::Written(vec![state.position()])))
        }
        Action::AppendMany { parts, key } => {
            let options = append_options(&request, key.as_ref());
            let appends = (0..).zip(parts).fold(Appends::new(), |appends, part| {
                let (place, part) = part;
                let events = part.events.map(|events| request.events(place, events, 0));
                match (part.state, events) {
                    (Some(state), Some(events)) => appends.append(state, events),
                    (None, Some(events)) => appends.create(part.log_id, events),
                    (Some(state), None) => appends.require::<TallyEvent>(state),
                    (None, None) => appends.require_absent::<TallyEvent>(part.log_id),
                }
            });
            let appended = manager.append_across(appends, &options).await;
            Observed::of(appended.map(Answer::Written))
        }
        Action::Decide { .. } => decide(&manager, &request).await,
        Action::DecideAcross { .. } => decide_across(&manager, &request).await,
        Action::Reduce { log_id } => reduce(&manager, &request, log_id).await,
        Action::Load {
            log_id,
            from,
            limit,
        } => {
            let loaded = manager.load(log_id, *from, *limit).await;
            let events = loaded.map(|records| {
                let events: Vec<TallyEvent> = records
                    .iter()
                    .map(|record| record.event().clone())
                    .collect();
                Answer::Loaded(events)
            });
            Observed::of(events)
        }
        Action::Prune { everything } => {
            let hour = Duration::from_hours(1);
            let age = if *everything { Duration::ZERO } else { hour };
            let pruned = manager.prune_idempotency_keys(age).await;
            Observed::of(pruned.map(Answer::Pruned))
        }
    }
}

async fn reduce(manager: &LogManager<Tally>, request: &Request, log_id: &LogId) -> Observed {
    let reduced = match manager.reduce(log_id).await {
        Ok(reduced) => reduced,
        Err(error) => return Observed::of(Err(error)),
    };
    if request.number.is_multiple_of(2) {
        // Otherwise the next operation may still find an older state in the cache.
        manager.flush_cache().await;
    }
    let answer = Answer::Reduced {
        state: reduced.position(),
        tally: reduced.aggregate().without_times(),
    };
    Observed::with(answer, reduced)
}

async fn decide(manager: &LogManager<Tally>, request: &Request) -> Observed {
    let Action::Decide {
        log_id,
        decision,
        create_if_missing,
        key,
    } = &request.action
    else {
        panic!("not a decision");
    };
    let options = DecideOptions {
        create_if_missing: *create_if_missing,
        ..decide_options(request, key.as_ref())
    };
    let decided: Result<Decided<Tally>, _> = manager
        .decide(log_id, &options, |tally| request.decide(*decision, tally))
        .await;
    match decided {
        Ok(decided) => {
            let replay = decided.replay();
            let answer = Answer::Decided {
                state: decided.aggregation().position(),
                tally: decided.aggregation().aggregate().without_times(),
                replay: replay.map(|replay| (replay.first_index, replay.event_count, replay.state)),
            };
            Observed::with(answer, decided.into_aggregation())
        }
        Err(DecideError::Refused(refusal)) => Observed::of(Ok(Answer::Refused(refusal))),
        Err(DecideError::Log(error)) => Observed::of(Err(error)),
        Err(other) => panic!("not known to the model: {other:?}"),
    }
}

async fn decide_across(manager: &LogManager<Tally>, request: &Request) -> Observed {
    let Action::DecideAcross {
        logs,
        decision,
        create_if_missing,
        key,
    } = &request.action
    else {
        panic!("not a decision on several logs");
    };
    let options = DecideOptions {
        create_if_missing: *create_if_missing,
        ..decide_options(request, key.as_ref())
    };
    let ask = |tallies: &[&Tally]| request.decide_across(*decision, logs, tallies);
    let log_ids: Vec<_> = logs.iter().map(|(log_id, _)| *log_id).collect();
    let decided = match log_ids[..] {
        [one, two] => across(((manager, one), (manager, two)))
            .decide(&options, |one, two| {
                let lists: [_; 2] = ask(&[one, two])?.try_into().expect("a list per log");
                Ok(<(_, _)>::from(lists))
            })
            .await
            .map(|decided| {
                let replay = decided.replay().to_vec();
                let (one, two) = decided.into_logs();
                (vec![one, two], replay)
            }),
        _ => manager
            .decide_each(log_ids, &options, ask)
            .await
            .map(|decided| (decided.logs().clone(), decided.replay().to_vec())),
    };
    let (logs, replay) = match decided {
        Ok(decided) => decided,
        Err(DecideError::Refused(refusal)) => return Observed::of(Ok(Answer::Refused(refusal))),
        Err(DecideError::Log(error)) => return Observed::of(Err(error)),
        Err(other) => panic!("not known to the model: {other:?}"),
    };
    let answer = if replay.is_empty() {
        let logs = logs.iter().map(|log| request::DecidedLog {
            state: log.aggregation().map(|log| {
                let tally = log.aggregate().without_times();
                (log.position(), tally)
            }),
            written: log.first_index().map(|first| (first, log.event_count())),
        });
        Answer::DecidedAcross(logs.collect())
    } else {
        let mut parts: Vec<_> = replay
            .iter()
            .map(|part| (part.first_index, part.event_count, part.state))
            .collect();
        parts.sort_by_key(|(_, _, state)| state.log_id());
        Answer::ReplayedAcross(parts)
    };
    let aggregations = logs.iter().filter_map(DecidedLog::aggregation).cloned();
    Observed {
        answer,
        aggregations: aggregations.collect(),
    }
}

fn refused(error: LogManagerError) -> Answer {
    match error {
        LogManagerError::IdempotentReplay {
            log_id,
            event_index,
            event_count,
            state,
            ..
        } => Answer::Replay {
            log_id,
            event_index,
            event_count,
            state,
        },
        LogManagerError::IdempotencyKeyReused {
            log_id,
            event_index,
            ..
        } => Answer::Reused {
            log_id,
            event_index,
        },
        LogManagerError::ConcurrentAppend {
            log_id,
            event_index,
            ..
        } => Answer::Conflict {
            log_id,
            event_index,
        },
        LogManagerError::LogAlreadyExists { log_id, .. } => Answer::Exists(log_id),
        LogManagerError::LogNotFound { log_id, .. } => Answer::NotFound(log_id),
        LogManagerError::Invalid(invalid) => Answer::Invalid(invalid),
        error => Answer::Other(format!("{error:?}")),
    }
}

fn create_options(request: &Request, key: Option<&Key>) -> CreateOptions {
    CreateOptions {
        idempotency_key: key.map(|key| key.text.clone()),
        idempotency_scope: key.map(|key| key.scope).unwrap_or_default(),
        request_fingerprint: key.and_then(|key| key.fingerprint),
        occurred_at: request.occurred_at(),
        metadata: request.given_metadata(),
        ..Default::default()
    }
}

fn append_options(request: &Request, key: Option<&Key>) -> AppendOptions {
    AppendOptions {
        idempotency_key: key.map(|key| key.text.clone()),
        idempotency_scope: key.map(|key| key.scope).unwrap_or_default(),
        request_fingerprint: key.and_then(|key| key.fingerprint),
        occurred_at: request.occurred_at(),
        metadata: request.given_metadata(),
        ..Default::default()
    }
}

fn decide_options(request: &Request, key: Option<&Key>) -> DecideOptions {
    DecideOptions {
        idempotency_key: key.map(|key| key.text.clone()),
        idempotency_scope: key.map(|key| key.scope).unwrap_or_default(),
        request_fingerprint: key.and_then(|key| key.fingerprint),
        occurred_at: request.occurred_at(),
        metadata: request.given_metadata(),
        ..Default::default()
    }
}
