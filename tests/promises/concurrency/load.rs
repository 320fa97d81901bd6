//! Tasks that write concurrently to the same logs in all ways.

use super::checker::{Stored, check};
use super::history::{Clock, Found, Ground, Look, Operation, Outcome, Want};
use super::random::Random;
use super::recorder::{Manner, Plan, Recorder};
use crate::model::domain::{TallyEvent, tallies};
use crate::model::effort;
use eventlogs::ids::LogId;
use eventlogs::{
    EventStore, IdempotencyScope, LogManagerError, LogPosition, MemoryAggregationCache,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The number of tasks.
const TASKS: u64 = 24;
/// The number of logs that all tasks compete for.
const HOT: usize = 3;
/// The number of further logs.
const COLD: usize = 20;
/// Tasks that wait for each other in a circle are given up after this time.
const PATIENCE: Duration = Duration::from_mins(3);

/// The parameters of a load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// The seed of all choices.
    pub(super) seed: u64,
    /// The number of steps per task.
    rounds: u32,
    /// `true` if the store is disturbed meanwhile.
    disturbed: bool,
}

impl Load {
    /// Returns loads with this number of steps per task: one, or more if the environment sets it. Each uses new logs, since
    /// long ones take long to read.
    pub(super) fn several(rounds: u32) -> impl Iterator<Item = Self> {
        let first = effort::seed();
        (0..effort::scaled(1)).map(move |nth| Self {
            seed: first.wrapping_add(nth.into()),
            rounds,
            disturbed: false,
        })
    }

    /// Marks the load as one on a store that is disturbed meanwhile.
    pub(super) fn disturbed(self) -> Self {
        Self {
            disturbed: true,
            ..self
        }
    }
}

/// One task.
struct Task {
    recorder: Recorder,
    logs: Vec<LogId>,
    random: Random,
    /// The value that the task gives to its next event.
    next_value: u64,
    /// The end of each log, as far as the task knows.
    known: HashMap<LogId, LogPosition>,
}

/// The result of a load.
#[derive(Debug)]
pub(super) struct Worked {
    logs: Vec<LogId>,
    history: Vec<Operation>,
    seed: u64,
}

/// Runs tasks on managers of one store, on logs of which none exists yet.
pub(super) async fn work<S: EventStore<TallyEvent>>(
    stores: impl IntoIterator<Item = S>,
    load: Load,
) -> Worked {
    let managers: Vec<_> = (0..)
        .zip(stores)
        .map(|(number, store)| tallies(number, store, MemoryAggregationCache::default()))
        .collect();
    let logs: Vec<_> = (0..HOT + COLD).map(|_| LogId::new()).collect();
    let clock = Arc::new(Clock::default());
    let tasks: Vec<_> = (0..TASKS)
        .zip(managers.iter().cycle())
        .map(|(number, manager)| {
            let recorder = Recorder {
                manager: manager.clone(),
                clock: Arc::clone(&clock),
                history: Vec::new(),
                disturbed: load.disturbed,
            };
            let task = Task {
                recorder,
                logs: logs.clone(),
                random: Random::new(load.seed, number),
                next_value: number << 32,
                known: HashMap::new(),
            };
            tokio::spawn(task.work(load.rounds))
        })
        .collect();
    let mut history = Vec::new();
    let patience = tokio::time::Instant::now() + PATIENCE;
    for task in tasks {
        let worked = tokio::time::timeout_at(patience, task).await;
        let worked = worked.expect("no task waits for ever");
        history.extend(worked.expect("the task does not panic"));
    }
    Worked {
        logs,
        history,
        seed: load.seed,
    }
}

impl Worked {
    /// Reads everything back, and fails if a rule is broken.
    ///
    /// No operation may be in progress any more, such as a write whose future was dropped: close the handles that were used for
    /// it first.
    pub(super) async fn verify(&self, store: impl EventStore<TallyEvent>) {
        let reader = tallies(0, store, MemoryAggregationCache::default());
        let mut stored = Stored::new();
        for log_id in &self.logs {
            match reader.load(log_id, 0, usize::MAX).await {
                Ok(records) => drop(stored.insert(*log_id, records)),
                Err(LogManagerError::LogNotFound { .. }) => {}
                Err(error) => panic!("unexpected: {error:?}"),
            }
        }
        let violations = check(&self.history, &stored);
        let first = violations.iter().take(10);
        let first: Vec<_> = first
            .map(|violation| format!("{:?}: {}", violation.rule, violation.found))
            .collect();
        assert!(
            violations.is_empty(),
            "{} violations in {} operations, such as {first:#?}\n{}",
            violations.len(),
            self.history.len(),
            effort::again(self.seed)
        );
    }
}

impl Task {
    async fn work(mut self, rounds: u32) -> Vec<Operation> {
        for _ in 0..rounds {
            let log_id = self.log();
            let manner = self.manner(log_id);
            match self.random.below(100) {
                0..8 => self.append(log_id, None, 1, &manner).await,
                8..35 => {
                    let state = self.state(log_id).await;
                    self.append(log_id, state, 1, &manner).await;
                }
                35..45 => {
                    let state = self.state(log_id).await;
                    let events = if state.is_some() {
                        2 + self.random.below(3)
                    } else {
                        1
                    };
                    self.append(log_id, state, events, &manner).await;
                }
                45..58 => self.append_across(log_id, manner).await,
                58..78 => self.decide(log_id, &manner).await,
                78..93 => self.decide_across(log_id, manner).await,
                _ => drop(self.recorder.reduce(log_id).await),
            }
            // A yield, so that other tasks get in between even if no call waits.
            tokio::task::yield_now().await;
        }
        self.recorder.history
    }

    /// Chooses a log, mostly one of the hot ones.
    fn log(&mut self) -> LogId {
        let (hot, cold) = self.logs.split_at(HOT);
        let logs = if self.random.percent(70) { hot } else { cold };
        self.random.of(logs)
    }

    /// Chooses a manner: sometimes with a key that others use as well, on the same log or on others; sometimes impatient.
    fn manner(&mut self, log_id: LogId) -> Manner {
        let key = self.random.below(60);
        let key = match self.random.below(10) {
            0..2 => Some((IdempotencyScope::Global, format!("{log_id}-{key}"))),
            2 => Some((IdempotencyScope::Log, format!("{key}"))),
            3 => Some((
                IdempotencyScope::Global,
                format!("{}-{key}-{key}", self.logs[0]),
            )),
            _ => None,
        };
        let hurry = Duration::from_micros(self.random.below(8_000));
        let polls = 1 + self.random.below(5);
        Manner {
            key,
            deadline: self.random.percent(5).then(|| Instant::now() + hurry),
            polls: self.random.percent(12).then_some(polls),
        }
    }

    /// Returns the end of the log when this task last read it, if it did.
    async fn state(&mut self, log_id: LogId) -> Option<LogPosition> {
        let look = self.random.percent(60) || !self.known.contains_key(&log_id);
        if look && let Some(state) = self.recorder.reduce(log_id).await {
            self.known.insert(log_id, state);
        }
        self.known.get(&log_id).copied()
    }

    fn want(&mut self, log_id: LogId, ground: Ground, events: u64) -> Want {
        let first = self.next_value;
        self.next_value += events;
        Want {
            log_id,
            ground,
            values: (first..self.next_value).collect(),
        }
    }

    async fn append(
        &mut self,
        log_id: LogId,
        state: Option<LogPosition>,
        events: u64,
        manner: &Manner,
    ) {
        let ground = state.map_or(Ground::New, Ground::After);
        let want = self.want(log_id, ground, events);
        self.recorder.append(want, manner).await;
        self.learn();
    }

    /// Chooses one or two further logs.
    fn with_others(&mut self, log_id: LogId) -> Vec<LogId> {
        let mut logs = vec![log_id];
        for _ in 0..=self.random.below(2) {
            let another = self.log();
            if !logs.contains(&another) {
                logs.push(another);
            }
        }
        logs
    }

    async fn append_across(&mut self, log_id: LogId, manner: Manner) {
        let (mut wants, mut required) = (Vec::new(), Vec::new());
        for log_id in self.with_others(log_id) {
            let state = self.state(log_id).await;
            if !wants.is_empty() && self.random.percent(40) {
                let found = state.map_or(Found::Nothing, Found::Events);
                required.push(Look { log_id, found });
                continue;
            }
            let ground = state.map_or(Ground::New, Ground::After);
            let events = 1 + self.random.below(3);
            wants.push(self.want(log_id, ground, events));
        }
        let manner = manner.of_all_logs();
        self.recorder.append_across(wants, required, &manner).await;
        self.learn();
    }

    /// Decides on several logs, of which some may only be looked at. With a key, it may call again although it has the result.
    async fn decide_across(&mut self, log_id: LogId, manner: Manner) {
        let logs = self.with_others(log_id);
        if logs.len() == 1 {
            return self.decide(log_id, &manner).await;
        }
        let mut manner = manner.of_all_logs();
        let (picky, create) = (self.random.percent(50), self.random.percent(50));
        loop {
            let mut wants = Vec::new();
            for log_id in &logs {
                if wants.is_empty() || self.random.percent(50) {
                    let events = 1 + self.random.below(3);
                    wants.push(self.want(*log_id, Ground::Decided, events));
                }
            }
            let plan = Plan {
                logs: logs.clone(),
                wants,
                picky,
                create,
            };
            self.recorder.decide_across(plan, &manner).await;
            self.learn();
            if manner.key.is_none() || self.random.percent(50) {
                return;
            }
            // Nobody drops the retry.
            manner.polls = None;
        }
    }

    async fn decide(&mut self, log_id: LogId, manner: &Manner) {
        let events = 1 + self.random.below(3);
        let want = self.want(log_id, Ground::Decided, events);
        let (picky, create) = (self.random.percent(40), self.random.percent(50));
        self.recorder.decide(want, picky, create, manner).await;
        self.learn();
    }

    /// Continues after the events that were just written.
    fn learn(&mut self) {
        if let Some(Outcome::Written(states)) =
            self.recorder.history.last().map(|last| &last.outcome)
        {
            for state in states {
                self.known.insert(state.log_id(), *state);
            }
        }
    }
}
