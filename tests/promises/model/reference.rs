//! The model: the behaviour of a store, written as simply as possible.

use super::domain::{Tally, TallyEvent};
use super::plan::Decision;
use super::request::{Action, Answer, DecidedLog, Key, Part, Request};
use chrono::{DateTime, Utc};
use eventlogs::ids::{EventId, LogId};
use eventlogs::stores::InvalidAppend;
use eventlogs::{IdempotencyScope, LogPosition, Metadata, RequestFingerprint};
use std::collections::{BTreeMap, BTreeSet};

/// All logs and all keys.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    logs: BTreeMap<LogId, Vec<Entry>>,
    keys: BTreeMap<(Option<LogId>, String), Vec<Used>>,
}

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) event: TallyEvent,
    /// Known for the last event of each write, from its result: the library creates the ids.
    pub(super) id: Option<EventId>,
    pub(super) occurred_at: Option<DateTime<Utc>>,
    pub(super) metadata: Metadata,
}

/// The write of a key to one log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    first_index: u64,
    event_count: u64,
    state: LogPosition,
    fingerprint: Option<RequestFingerprint>,
}

/// The write to one log: its expected end (`None`: no log) and the events to append. Without events, the log is only required.
struct Wanted {
    log_id: LogId,
    state: Option<LogPosition>,
    events: Vec<TallyEvent>,
}

impl Reference {
    pub(super) fn log(&self, log_id: LogId) -> &[Entry] {
        self.logs.get(&log_id).map_or(&[], Vec::as_slice)
    }

    /// Returns the end of a log.
    pub(super) fn end(&self, log_id: LogId) -> Option<LogPosition> {
        let index = (self.log(log_id).len() as u64).checked_sub(1)?;
        let id = self.log(log_id).last()?.id;
        Some(id.map_or(LogPosition::at(log_id, index), |id| {
            LogPosition::new(log_id, index, id)
        }))
    }

    fn tally(&self, log_id: LogId) -> Tally {
        let mut tally = Tally::default();
        for entry in self.log(log_id) {
            let TallyEvent::Counted { value, basis } = entry.event;
            tally.add(value, basis);
        }
        tally
    }

    /// Carries out the request, and returns the allowed results: one, unless several obstacles apply.
    ///
    /// It uses nothing of the observed result except the ids of the events.
    pub(super) fn answers(&mut self, request: &Request, observed: &Answer) -> Vec<Answer> {
        match &request.action {
            Action::Create { log_id, key } => {
                let part = Part {
                    log_id: *log_id,
                    state: None,
                    events: Some(1),
                };
                self.append(request, std::slice::from_ref(&part), key.as_ref(), observed)
            }
            Action::Append { state, events, key } => {
                let part = Part {
                    log_id: state.log_id(),
                    state: Some(*state),
                    events: Some(*events),
                };
                self.append(request, std::slice::from_ref(&part), key.as_ref(), observed)
            }
            Action::AppendMany { parts, key } => {
                let invalid = invalid(parts, key.as_ref());
                if invalid.is_empty() {
                    self.append(request, parts, key.as_ref(), observed)
                } else {
                    invalid.into_iter().map(Answer::Invalid).collect()
                }
            }
            Action::Decide {
                log_id,
                decision,
                create_if_missing,
                key,
            } => {
                if self.log(*log_id).is_empty() && !create_if_missing {
                    return vec![Answer::NotFound(*log_id)];
                }
                vec![self.decide(request, *log_id, *decision, key.as_ref(), observed)]
            }
            Action::DecideAcross {
                logs,
                decision,
                create_if_missing,
                key,
            } => {
                let mut seen = BTreeSet::new();
                let twice = logs.iter().filter(|(log_id, _)| !seen.insert(*log_id));
                let mut invalid: Vec<_> = twice
                    .map(|(log_id, _)| InvalidAppend::LogTwice { log_id: *log_id })
                    .collect();
                if key
                    .as_ref()
                    .is_some_and(|key| key.scope == IdempotencyScope::Log)
                {
                    invalid.push(InvalidAppend::KeyOfOneLog);
                }
                if !invalid.is_empty() {
                    return invalid.into_iter().map(Answer::Invalid).collect();
                }
                let log_ids = logs.iter().map(|(log_id, _)| *log_id);
                let missing = log_ids.filter(|log_id| self.log(*log_id).is_empty());
                let missing: Vec<_> = missing.map(Answer::NotFound).collect();
                if !missing.is_empty() && !create_if_missing {
                    return missing;
                }
                if let Some(used) = self.used_across(logs, *create_if_missing, key.as_ref()) {
                    return used;
                }
                vec![self.decide_across(request, logs, *decision, key.as_ref(), observed)]
            }
            Action::Reduce { log_id } => {
                vec![
                    self.end(*log_id)
                        .map_or(Answer::NotFound(*log_id), |state| Answer::Reduced {
                            state,
                            tally: self.tally(*log_id),
                        }),
                ]
            }
            Action::Load {
                log_id,
                from,
                limit,
            } => {
                let log = self.log(*log_id).iter().map(|entry| entry.event.clone());
                let from = usize::try_from(*from).expect("a small number");
                vec![if self.log(*log_id).is_empty() {
                    Answer::NotFound(*log_id)
                } else {
                    Answer::Loaded(log.skip(from).take(*limit).collect())
                }]
            }
            Action::Prune { everything } => {
                let keys = if *everything { self.keys.len() } else { 0 };
                if *everything {
                    self.keys.clear();
                }
                vec![Answer::Pruned(keys as u64)]
            }
        }
    }

    fn append(
        &mut self,
        request: &Request,
        parts: &[Part],
        key: Option<&Key>,
        observed: &Answer,
    ) -> Vec<Answer> {
        if parts.iter().any(|part| part.events == Some(0)) {
            return vec![Answer::Invalid(InvalidAppend::NoEvents)];
        }
        let written = || parts.iter().filter(|part| part.events.is_some());
        let logs: Vec<_> = written().map(|part| part.log_id).collect();
        if let Some(used) = self.used(key, &logs) {
            // A key prevents a second creation, wherever it was used. It need not have been used on a log that is only required.
            let had = |part: &Part| part.state.is_none() || self.was_used_on(key, part.log_id);
            return vec![used.answer(written().all(had), key)];
        }
        let wanted: Vec<_> = (0..)
            .zip(parts)
            .map(|(place, part)| Wanted {
                log_id: part.log_id,
                state: part.state,
                events: part
                    .events
                    .map_or_else(Vec::new, |events| request.events(place, events, 0)),
            })
            .collect();
        let obstacles: Vec<_> = wanted
            .iter()
            .filter_map(|part| self.obstacle(part))
            .collect();
        if !obstacles.is_empty() {
            return obstacles;
        }
        let ids = match observed {
            Answer::Written(states) => states.as_slice(),
            _ => &[],
        };
        let written = wanted.into_iter().filter(|part| !part.events.is_empty());
        vec![Answer::Written(self.write(
            request,
            written.collect(),
            key,
            ids,
        ))]
    }

    fn decide(
        &mut self,
        request: &Request,
        log_id: LogId,
        decision: Decision,
        key: Option<&Key>,
        observed: &Answer,
    ) -> Answer {
        if let Some(used) = self.used(key, &[log_id]) {
            let same = used.state.log_id() == log_id && !used.is_of_another_request(key);
            return match self.end(log_id) {
                Some(state) if same => Answer::Decided {
                    state,
                    tally: self.tally(log_id),
                    replay: Some((used.first_index, used.event_count, used.state)),
                },
                _ => used.answer(false, key),
            };
        }
        let events = match request.decide(decision, &self.tally(log_id)) {
            Ok(events) => events,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let end = self.end(log_id);
        if !events.is_empty() {
            let ids = match observed {
                Answer::Decided { state, .. } => std::slice::from_ref(state),
                _ => &[],
            };
            let wanted = Wanted {
                log_id,
                state: end,
                events,
            };
            self.write(request, vec![wanted], key, ids);
        }
        self.end(log_id)
            .map_or(Answer::NotFound(log_id), |state| Answer::Decided {
                state,
                tally: self.tally(log_id),
                replay: None,
            })
    }

    /// Returns the allowed results of a decision on several logs whose key was used before.
    fn used_across(
        &self,
        logs: &[(LogId, usize)],
        create_if_missing: bool,
        key: Option<&Key>,
    ) -> Option<Vec<Answer>> {
        let used = self.keys.get(&key?.name(logs[0].0))?;
        let reused = |used: &Used| used.answer(false, key);
        if used.iter().any(|used| used.is_of_another_request(key)) {
            return Some(used.iter().map(reused).collect());
        }
        let was_used_on = |log_id| used.iter().any(|used| used.state.log_id() == log_id);
        // A log to be created may have had another id in the first attempt.
        let creatable = logs
            .iter()
            .filter(|(log_id, _)| create_if_missing && !was_used_on(*log_id));
        let is_elsewhere = |used: &&Used| {
            logs.iter()
                .all(|(log_id, _)| *log_id != used.state.log_id())
        };
        let elsewhere = used.iter().filter(is_elsewhere);
        if elsewhere.clone().count() > creatable.count() {
            return Some(elsewhere.map(reused).collect());
        }
        let parts = used
            .iter()
            .map(|used| (used.first_index, used.event_count, used.state));
        let mut parts: Vec<_> = parts.collect();
        parts.sort_by_key(|(_, _, state)| state.log_id());
        Some(vec![Answer::ReplayedAcross(parts)])
    }

    fn decide_across(
        &mut self,
        request: &Request,
        logs: &[(LogId, usize)],
        decision: Decision,
        key: Option<&Key>,
        observed: &Answer,
    ) -> Answer {
        let tallies: Vec<_> = logs.iter().map(|(log_id, _)| self.tally(*log_id)).collect();
        let tallies: Vec<_> = tallies.iter().collect();
        let lists = match request.decide_across(decision, logs, &tallies) {
            Ok(lists) => lists,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let written = lists.iter().zip(logs).map(|(events, (log_id, _))| {
            let first_index = self.log(*log_id).len() as u64;
            (!events.is_empty()).then_some((first_index, events.len() as u64))
        });
        let written: Vec<_> = written.collect();
        let ids: Vec<_> = match observed {
            Answer::DecidedAcross(logs) => {
                let written = logs.iter().filter(|log| log.written.is_some());
                let states = written.filter_map(|log| log.state.as_ref());
                states.map(|(state, _)| *state).collect()
            }
            _ => Vec::new(),
        };
        let wanted = lists
            .into_iter()
            .zip(logs)
            .map(|(events, (log_id, _))| Wanted {
                log_id: *log_id,
                state: self.end(*log_id),
                events,
            });
        let wanted: Vec<_> = wanted.filter(|wanted| !wanted.events.is_empty()).collect();
        if !wanted.is_empty() {
            self.write(request, wanted, key, &ids);
        }
        let decided = logs.iter().zip(written).map(|((log_id, _), written)| {
            let tally = self.tally(*log_id);
            DecidedLog {
                state: self.end(*log_id).map(|state| (state, tally)),
                written,
            }
        });
        Answer::DecidedAcross(decided.collect())
    }

    /// Returns the use of a key: on the first of these logs that it was used on, otherwise on the first log of its write.
    fn used(&self, key: Option<&Key>, logs: &[LogId]) -> Option<Used> {
        let used = self.keys.get(&key?.name(*logs.first()?))?;
        let on = |log_id: &LogId| used.iter().find(|used| used.state.log_id() == *log_id);
        logs.iter().find_map(on).or(used.first()).cloned()
    }

    fn was_used_on(&self, key: Option<&Key>, log_id: LogId) -> bool {
        let used = self.used(key, &[log_id]);
        used.is_some_and(|used| used.state.log_id() == log_id)
    }

    /// Returns the reason why an append cannot be written.
    fn obstacle(&self, part: &Wanted) -> Option<Answer> {
        let log_id = part.log_id;
        let is_required = part.events.is_empty();
        let conflict = |event_index| Answer::Conflict {
            log_id,
            event_index,
        };
        let Some((state, end)) = part.state.map(|state| (state, self.end(log_id))) else {
            let exists = if is_required {
                conflict(0)
            } else {
                Answer::Exists(log_id)
            };
            return (!self.log(log_id).is_empty()).then_some(exists);
        };
        let Some(end) = end else {
            return Some(if is_required {
                conflict(state.index() + 1)
            } else {
                Answer::NotFound(log_id)
            });
        };
        let same_event = state.event_id().is_none() || state.event_id() == end.event_id();
        let current = state.index() == end.index() && same_event;
        (!current).then(|| conflict(state.index() + 1))
    }

    fn write(
        &mut self,
        request: &Request,
        parts: Vec<Wanted>,
        key: Option<&Key>,
        ids: &[LogPosition],
    ) -> Vec<LogPosition> {
        let name = key.map(|key| key.name(parts[0].log_id));
        let mut states = Vec::new();
        let mut writes = Vec::new();
        for (place, part) in parts.into_iter().enumerate() {
            let log = self.logs.entry(part.log_id).or_default();
            let first_index = log.len() as u64;
            let event_count = part.events.len() as u64;
            log.extend(part.events.into_iter().map(|event| Entry {
                event,
                id: None,
                occurred_at: request.occurred_at(),
                metadata: request.metadata(),
            }));
            if let Some(last) = log.last_mut() {
                last.id = ids.get(place).and_then(LogPosition::event_id);
            }
            let state = self.end(part.log_id).expect("the log has an event now");
            states.push(state);
            writes.push(Used {
                first_index,
                event_count,
                state,
                fingerprint: key.and_then(|key| key.fingerprint),
            });
        }
        if let Some(name) = name {
            self.keys.insert(name, writes);
        }
        states
    }
}

impl Used {
    fn is_of_another_request(&self, key: Option<&Key>) -> bool {
        let now = key.and_then(|key| key.fingerprint);
        self.fingerprint.is_some() && now.is_some() && self.fingerprint != now
    }

    /// Returns the result of an append whose key was used before, for the same log or for another request.
    fn answer(&self, same_log: bool, key: Option<&Key>) -> Answer {
        let log_id = self.state.log_id();
        let event_index = self.first_index;
        if same_log && !self.is_of_another_request(key) {
            Answer::Replay {
                log_id,
                event_index,
                event_count: self.event_count,
                state: self.state,
            }
        } else {
            Answer::Reused {
                log_id,
                event_index,
            }
        }
    }
}

impl Key {
    /// Returns the scope and the text within which the key is unique.
    fn name(&self, log_id: LogId) -> (Option<LogId>, String) {
        let scope = (self.scope == IdempotencyScope::Log).then_some(log_id);
        (scope, self.text.clone())
    }
}

/// Returns the faults of an append to several logs, regardless of the stored events.
fn invalid(parts: &[Part], key: Option<&Key>) -> Vec<InvalidAppend> {
    let mut invalid = Vec::new();
    let mut logs = BTreeSet::new();
    for part in parts {
        if part.events == Some(0) {
            invalid.push(InvalidAppend::NoEvents);
        }
        if !logs.insert(part.log_id) {
            let log_id = part.log_id;
            invalid.push(InvalidAppend::LogTwice { log_id });
        }
    }
    if parts.iter().all(|part| part.events.is_none()) {
        invalid.push(InvalidAppend::NoEvents);
    }
    if key.is_some_and(|key| key.scope == IdempotencyScope::Log) {
        invalid.push(InvalidAppend::KeyOfOneLog);
    }
    invalid
}
