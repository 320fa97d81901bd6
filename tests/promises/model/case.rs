//! Runs plans on managers of one store, and compares them with the reference.

use super::domain::{Tally, TallyEvent};
use super::explain::explain;
use super::plan::{Basis, LOGS, Plan, PlannedAction, PlannedKey};
use super::reference::{Entry, Reference};
use super::request::{Action, Key, Part, Request};
use super::run::{Observed, run};
use eventlogs::ids::{EventId, LogId};
use eventlogs::{
    Aggregation, EventRecord, IdempotencyScope, LogManager, LogManagerError, LogPosition,
    RecordedEvent, RequestFingerprint,
};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use std::collections::HashSet;
use std::time::Duration;

/// The logs, keys and observations of one case.
struct Case<'a> {
    managers: &'a [LogManager<Tally>],
    logs: Vec<LogId>,
    /// The states in which the store may be.
    possible: Vec<Reference>,
    /// Ends of logs, past and current.
    ends: Vec<LogPosition>,
    /// All aggregations that were returned.
    aggregations: Vec<Aggregation<Tally>>,
    /// The number of operations so far.
    asked: u32,
}

/// Runs groups of operations, those of one group concurrently, and checks every result and all stored events.
pub(super) async fn check(
    managers: &[LogManager<Tally>],
    groups: &[Vec<Plan>],
) -> Result<(), String> {
    // The keys of other cases would be counted, too.
    let pruned = managers[0].prune_idempotency_keys(Duration::ZERO).await;
    pruned.map_err(|error| format!("{error:?}"))?;
    let mut case = Case {
        managers,
        logs: (0..LOGS).map(|_| LogId::new()).collect(),
        possible: vec![Reference::default()],
        ends: Vec::new(),
        aggregations: Vec::new(),
        asked: 0,
    };
    for group in groups {
        case.run_together(group).await?;
    }
    case.compare().await
}

impl Case<'_> {
    async fn run_together(&mut self, plans: &[Plan]) -> Result<(), String> {
        let requests: Vec<_> = plans.iter().map(|plan| self.request(plan)).collect();
        let runs = requests
            .iter()
            .map(|request| run(self.managers[request.manager].clone(), request.clone()));
        let observed: Vec<Observed> = if self.asked.is_multiple_of(2) {
            join_all(runs).await
        } else {
            let tasks = join_all(runs.map(tokio::spawn)).await;
            let answers: Result<_, _> = tasks.into_iter().collect();
            answers.map_err(|panic| panic.to_string())?
        };
        let answers: Vec<_> = observed.iter().map(|observed| &observed.answer).collect();
        self.possible = explain(&self.possible, &requests, &answers)?;
        let ends = self.logs.iter();
        self.ends
            .extend(ends.filter_map(|log_id| self.possible[0].end(*log_id)));
        let aggregations = observed.into_iter();
        self.aggregations
            .extend(aggregations.flat_map(|observed| observed.aggregations));
        Ok(())
    }

    fn request(&mut self, plan: &Plan) -> Request {
        self.asked += 1;
        let log_id = |log: usize| self.logs[log];
        let key = |key: &Option<PlannedKey>| key.as_ref().map(|key| self.key(key));
        let action = match &plan.action {
            PlannedAction::Create { log, key: planned } => Action::Create {
                log_id: log_id(*log),
                key: key(planned),
            },
            PlannedAction::Append {
                log,
                basis,
                events,
                key: planned,
            } => Action::Append {
                state: self.state(*log, basis),
                events: *events,
                key: key(planned),
            },
            PlannedAction::AppendMany {
                parts,
                key: planned,
            } => {
                let parts = parts.iter().map(|part| Part {
                    log_id: log_id(part.log),
                    state: part.basis.as_ref().map(|basis| self.state(part.log, basis)),
                    events: part.events,
                });
                Action::AppendMany {
                    parts: parts.collect(),
                    key: key(planned),
                }
            }
            PlannedAction::Decide {
                log,
                decision,
                create_if_missing,
                key: planned,
            } => Action::Decide {
                log_id: log_id(*log),
                decision: *decision,
                create_if_missing: *create_if_missing,
                key: key(planned),
            },
            PlannedAction::DecideAcross {
                logs,
                decision,
                create_if_missing,
                key: planned,
            } => {
                let logs = logs.iter().map(|(log, events)| (log_id(*log), *events));
                Action::DecideAcross {
                    logs: logs.collect(),
                    decision: *decision,
                    create_if_missing: *create_if_missing,
                    key: key(planned),
                }
            }
            PlannedAction::Reduce { log } => Action::Reduce {
                log_id: log_id(*log),
            },
            PlannedAction::Load { log, from, limit } => Action::Load {
                log_id: log_id(*log),
                from: *from,
                limit: *limit,
            },
            PlannedAction::Prune { everything } => Action::Prune {
                everything: *everything,
            },
        };
        Request {
            number: self.asked,
            manager: plan.manager,
            action,
        }
    }

    fn key(&self, planned: &PlannedKey) -> Key {
        Key {
            text: format!("{}-{}", self.logs[0], planned.number),
            scope: if planned.in_log {
                IdempotencyScope::Log
            } else {
                IdempotencyScope::Global
            },
            fingerprint: planned
                .fingerprint
                .map(|request| RequestFingerprint::new(&[request])),
        }
    }

    fn state(&self, log: usize, basis: &Basis) -> LogPosition {
        let log_id = self.logs[log];
        let end = self.possible[0].end(log_id);
        let current = end.unwrap_or(LogPosition::at(log_id, 0));
        match basis {
            Basis::Current => current,
            Basis::IndexOnly => LogPosition::at(log_id, current.index()),
            Basis::Ahead => LogPosition::at(log_id, current.index() + 1),
            Basis::OtherHistory => LogPosition::new(log_id, current.index(), EventId::new()),
            Basis::Stale(index) => {
                let ends: Vec<_> = self
                    .ends
                    .iter()
                    .filter(|end| end.log_id() == log_id)
                    .collect();
                if ends.is_empty() {
                    current
                } else {
                    *ends[index.index(ends.len())]
                }
            }
        }
    }

    /// Compares all stored events with the reference, and all returned aggregations with the stored events.
    async fn compare(&self) -> Result<(), String> {
        let mut logs = Vec::new();
        let mut ids = HashSet::new();
        for log_id in &self.logs {
            let records = self.read(log_id).await?;
            if !records.iter().all(|record| ids.insert(record.event_id())) {
                return Err(format!("an id occurs twice in {records:?}"));
            }
            if !records.is_sorted_by_key(EventRecord::recorded_at) {
                return Err(format!("the time goes back in {records:?}"));
            }
            self.compare_reductions(log_id, &records).await?;
            logs.push(records);
        }
        let is_stored = |reference: &Reference| {
            let logs = logs.iter().zip(&self.logs);
            logs.into_iter()
                .all(|(records, log_id)| are_same(records, reference.log(*log_id)))
        };
        if !self.possible.iter().any(is_stored) {
            let possible = &self.possible;
            return Err(format!("stored: {logs:#?}\nexpected one of: {possible:#?}"));
        }
        Ok(())
    }

    /// Reads a log through two managers in two ways.
    async fn read(&self, log_id: &LogId) -> Result<Vec<RecordedEvent<TallyEvent>>, String> {
        let none = |error| match error {
            LogManagerError::LogNotFound { .. } => Ok(Vec::new()),
            error => Err(format!("{error:?}")),
        };
        let loaded = self.managers[0].load(log_id, 0, 100_000).await;
        let loaded = loaded.or_else(none)?;
        let streamed = self.managers[1].stream(log_id, 0).try_collect().await;
        let streamed: Vec<_> = streamed.or_else(none)?;
        if loaded != streamed {
            return Err(format!("loaded: {loaded:#?}\nstreamed: {streamed:#?}"));
        }
        Ok(loaded)
    }

    async fn compare_reductions(
        &self,
        log_id: &LogId,
        records: &[RecordedEvent<TallyEvent>],
    ) -> Result<(), String> {
        let mut aggregations = Vec::new();
        for manager in self.managers {
            match manager.reduce(log_id).await {
                Ok(reduced) if reduced.through_index() + 1 == records.len() as u64 => {
                    aggregations.push(reduced);
                }
                Err(LogManagerError::LogNotFound { .. }) if records.is_empty() => {}
                other => return Err(format!("reduced to {other:?}, but stored: {records:#?}")),
            }
        }
        let returned = self.aggregations.iter();
        aggregations.extend(returned.filter(|one| one.log_id() == *log_id).cloned());
        for one in aggregations {
            let end = usize::try_from(one.through_index()).expect("a short log") + 1;
            let records = records.get(..end).unwrap_or_default();
            let first = records.first().map(EventRecord::recorded_at);
            let last = records.last();
            let is_right = *one.aggregate() == Tally::of(records)
                && Some(one.created_at()) == first
                && Some(one.updated_at()) == last.map(EventRecord::recorded_at)
                && Some(one.position()) == last.map(RecordedEvent::position);
            if !is_right {
                return Err(format!("{one:?} is not the fold of {records:#?}"));
            }
        }
        Ok(())
    }
}

/// Returns `true` if the records have the events of the reference, with all their metadata and times.
fn are_same(records: &[RecordedEvent<TallyEvent>], entries: &[Entry]) -> bool {
    records.len() == entries.len()
        && records.iter().zip(entries).zip(0..).all(|(pair, index)| {
            let (record, entry) = pair;
            record.index() == index
                && *record.event() == entry.event
                && entry.id.is_none_or(|id| id == record.event_id())
                && *record.metadata() == entry.metadata
                && record.occurred_at() == entry.occurred_at
        })
}
