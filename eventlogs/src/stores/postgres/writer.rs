//! The gatherer: appends of all tasks in this process, in as few statements as possible.
//!
//! What arrives while statements are in flight is the next batch; there is no timer, so a lone append is sent at once. Two
//! statements may be in flight, so that the next batch is made while the last one commits; with more of them the batches
//! only get smaller.
//!
//! A log with a write in flight is pinned: the next write of that log waits for the answer. In another statement it would
//! not see what the first one is about to commit, and be refused for it. The same goes for keys.

use super::{Core, append};
use crate::ids::LogId;
use crate::stores::encoded::EncodedAppend;
use crate::stores::write_queue::{BatchSize, Job, Outcome, Pending};
use crate::stores::{AppendError, StoreError};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::Instrument;

/// How many statements may be in flight.
pub(super) const IN_FLIGHT: u32 = 2;
/// How many appends the gatherer holds beside those in flight; the others wait in the queue. Pinned ones are passed over, so
/// it must see more than one batch.
const HELD: usize = 4_096;

/// Starts the gatherer on the current runtime.
pub(super) fn start(jobs: mpsc::Receiver<Job>, core: Arc<Core>) {
    let gatherer = Gatherer {
        core,
        held: VecDeque::new(),
        pinned: HashSet::new(),
        keys: HashSet::new(),
    };
    tokio::spawn(
        gatherer
            .run(jobs)
            .instrument(tracing::debug_span!("postgres writer")),
    );
}

/// What waits, and what may not be sent meanwhile.
struct Gatherer {
    /// The connections and statements; the callers' handles have the queue beside it.
    core: Arc<Core>,
    /// The appends that wait, in the order of arrival, each with its time.
    held: VecDeque<(Pending, Instant)>,
    /// The logs with a write in flight.
    pinned: HashSet<LogId>,
    /// The keys in flight.
    keys: HashSet<String>,
}

impl Gatherer {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut in_flight = FuturesUnordered::new();
        let mut closing = Vec::new();
        let mut open = true;
        loop {
            while in_flight.len() < IN_FLIGHT as usize {
                let batch = self.next_batch();
                if batch.is_empty() {
                    break;
                }
                in_flight.push(write(Arc::clone(&self.core), batch));
            }
            if !open && in_flight.is_empty() && self.held.is_empty() {
                break;
            }
            tokio::select! {
                Some(done) = in_flight.next(), if !in_flight.is_empty() => self.unpin(done),
                job = jobs.recv(), if open && self.held.len() < HELD => {
                    open = job.is_some();
                    self.take(job, &mut jobs, &mut closing);
                    // Whatever else is there already belongs to the same batch.
                    while self.held.len() < HELD && let Ok(job) = jobs.try_recv() {
                        self.take(Some(job), &mut jobs, &mut closing);
                    }
                }
            }
        }
        for answer in closing {
            // The one who asked may have stopped waiting.
            let _ = answer.send(());
        }
    }

    fn take(
        &mut self,
        job: Option<Job>,
        jobs: &mut mpsc::Receiver<Job>,
        closing: &mut Vec<oneshot::Sender<()>>,
    ) {
        match job {
            Some(Job::Append(pending)) => self.held.push_back((pending, Instant::now())),
            Some(Job::Close(answer)) => {
                // What is queued already is still written; what comes later is refused.
                jobs.close();
                closing.push(answer);
            }
            None => {}
        }
    }

    /// Takes the appends that may be sent together, oldest first, and pins their logs and keys.
    fn next_batch(&mut self) -> Vec<Pending> {
        let mut batch: Vec<Pending> = Vec::new();
        let mut size = BatchSize::default();
        let mut passed_over = VecDeque::new();
        while let Some((pending, since)) = self.held.pop_front() {
            if pending.answer.is_abandoned() {
                continue;
            }
            if since.elapsed() > self.core.options.timeout {
                pending
                    .answer
                    .tell(Err(AppendError::Store(StoreError::Unavailable {
                        source: TOO_LONG.into(),
                    })));
                continue;
            }
            if !batch.is_empty() && (size.is_full() || !size.has_room_for(&pending.append)) {
                self.held.push_front((pending, since));
                break;
            }
            if self.is_pinned(&pending.append) {
                passed_over.push_back((pending, since));
                continue;
            }
            self.pin(&pending.append);
            size.add(&pending.append);
            batch.push(pending);
        }
        // They stay in front of what came later, so that the appends of a log keep their order.
        passed_over.append(&mut self.held);
        self.held = passed_over;
        batch
    }

    fn is_pinned(&self, append: &EncodedAppend) -> bool {
        let key = append.idempotency_key.as_ref();
        self.pinned.contains(&append.log_id) || key.is_some_and(|key| self.keys.contains(key))
    }

    fn pin(&mut self, append: &EncodedAppend) {
        self.pinned.insert(append.log_id);
        self.keys.extend(append.idempotency_key.clone());
    }

    fn unpin(&mut self, done: Vec<EncodedAppend>) {
        for append in done {
            self.pinned.remove(&append.log_id);
            if let Some(key) = &append.idempotency_key {
                self.keys.remove(key);
            }
        }
    }
}

/// Why an append was given up that was never sent.
const TOO_LONG: &str = "earlier writes took longer than the time of this one";

/// Writes a batch, tells everybody, and returns the appends to unpin.
async fn write(core: Arc<Core>, batch: Vec<Pending>) -> Vec<EncodedAppend> {
    let split = batch
        .into_iter()
        .map(|pending| (pending.append, pending.answer));
    let (appends, answers): (Vec<_>, Vec<_>) = split.unzip();
    let batch: Vec<_> = appends.iter().collect();
    tracing::trace!(appends = batch.len(), "writing a batch");
    match append::append(&core, &batch).await {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                answer.tell(outcome);
            }
        }
        Err(error) if batch.len() > 1 && concerns_one(&error) => {
            tracing::debug!(%error, appends = batch.len(), "writing the appends of a batch one by one");
            for (answer, append) in answers.into_iter().zip(&batch) {
                let alone = append::append(&core, &[append]).await;
                answer.tell(alone.map_err(AppendError::from).and_then(only));
            }
        }
        Err(error) => {
            for answer in answers {
                answer.tell(Err(repeated(&error).into()));
            }
        }
    }
    appends
}

/// Whether an error may be the fault of one append in a batch: a lock that it waits for, room that it lacks. Without a
/// server, the others would fare no better alone, and take their time one after the other.
const fn concerns_one(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::OutcomeUnknown { .. } | StoreError::Unavailable { .. } | StoreError::Closed
    )
}

fn only(outcomes: Vec<Outcome>) -> Outcome {
    outcomes
        .into_iter()
        .next()
        .unwrap_or(Err(StoreError::OutcomeUnknown { source: None }.into()))
}

/// The same error for one more caller; a source cannot be copied, so its text is.
fn repeated(error: &StoreError) -> StoreError {
    let text =
        || std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    match error {
        StoreError::OutcomeUnknown { .. } => StoreError::OutcomeUnknown {
            source: Some(text().into()),
        },
        StoreError::Unavailable { .. } => StoreError::Unavailable {
            source: text().into(),
        },
        StoreError::Closed => StoreError::Closed,
        StoreError::ReadOnly { .. } => StoreError::ReadOnly {
            source: text().into(),
        },
        StoreError::MissingRights { .. } => StoreError::MissingRights {
            source: text().into(),
        },
        StoreError::Full { .. } => StoreError::Full {
            source: text().into(),
        },
        StoreError::Busy { .. } => StoreError::Busy {
            source: text().into(),
        },
        StoreError::Refused { .. } => StoreError::Refused {
            source: text().into(),
        },
        StoreError::NotMigrated { found, needed } => StoreError::NotMigrated {
            found: *found,
            needed: *needed,
        },
        _ => StoreError::Database {
            source: text().into(),
        },
    }
}
