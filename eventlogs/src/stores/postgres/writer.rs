//! The gatherer: writes of all tasks in this process, in as few statements as possible.
//!
//! What arrives while statements are in flight is the next batch; there is no timer, so a lone write is sent at once. Two
//! statements may be in flight, so that the next batch is made while the last one commits; with more of them the batches
//! only get smaller.
//!
//! A log with a write in flight is pinned: the next write of that log waits for the answer. In another statement it would
//! not see what the first one is about to commit, and be refused for it. The same goes for keys. Within a batch, writes to one
//! log that build on one another are a chain.

use super::Core;
use super::append::{self, Batch, Written};
use crate::ids::{EventId, LogId};
use crate::stores::encoded::{EncodedKey, EncodedWrite};
use crate::stores::write_queue::{Answer, BatchSize, Job, Pending};
use crate::stores::{AppendError, StoreError};
use crate::telemetry;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

/// How many statements may be in flight.
pub(super) const IN_FLIGHT: u32 = 2;
/// How many writes the gatherer looks through for the next batch; the others wait in the queue. Pinned ones are passed over,
/// so it must see more than one batch.
const HELD: usize = 4_096;
/// How long a statement of the gatherer waits for somebody else's lock before its writes are sent one by one.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_millis(100);
/// How long a write that met somebody's lock waits before it is sent again.
const LOCKED_OUT: Duration = Duration::from_millis(200);

/// Starts the gatherer on the current runtime.
pub(super) fn start(jobs: mpsc::UnboundedReceiver<Job>, core: Arc<Core>) {
    let gatherer = Gatherer {
        core,
        held: VecDeque::new(),
        locked_out: VecDeque::new(),
        sent: 0,
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
    /// The writes that wait, in the order of arrival.
    held: VecDeque<Pending>,
    /// Those that met somebody's lock, with the time of their next attempt. They travel alone, so that an open transaction
    /// of somebody's holds up nobody else.
    locked_out: VecDeque<(Pending, Instant)>,
    /// How many writes are in flight.
    sent: usize,
    /// The logs with a write in flight.
    pinned: HashSet<LogId>,
    /// The keys in flight, each with the log that it is unique in.
    keys: HashSet<(Option<LogId>, String)>,
}

/// Writes on their way, those that build on one another next to each other.
struct Sent {
    /// The writes.
    batch: Vec<Pending>,
    /// The groups among them.
    groups: Vec<Range<usize>>,
}

/// What becomes of a write that was sent.
struct Done {
    /// To unpin.
    write: EncodedWrite,
    /// To be sent again if it met a lock.
    again: Option<(Answer, Instant, Instant)>,
}

impl Gatherer {
    async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut in_flight = FuturesUnordered::new();
        let mut closing = Vec::new();
        let mut open = true;
        loop {
            while in_flight.len() < IN_FLIGHT as usize {
                let Some(sent) = self
                    .next_locked_out()
                    .or_else(|| self.next_batch(in_flight.len()))
                else {
                    break;
                };
                self.sent += sent.batch.len();
                in_flight.push(write(Arc::clone(&self.core), sent));
            }
            let idle = self.held.is_empty() && self.locked_out.is_empty();
            if !open && in_flight.is_empty() && idle {
                break;
            }
            let next_attempt = self.locked_out.front().map(|(_, at)| *at);
            let free = in_flight.len() < IN_FLIGHT as usize;
            tokio::select! {
                Some(done) = in_flight.next(), if !in_flight.is_empty() => self.unpin(done),
                job = jobs.recv(), if open && self.held.len() < HELD => {
                    open = job.is_some();
                    self.take(job, &mut jobs, &mut closing);
                    // Those who were told of the last batch are about to come with their next writes: what they bring now belongs
                    // to this one. Costs nothing where nobody is.
                    tokio::task::yield_now().await;
                    while self.held.len() < HELD && let Ok(job) = jobs.try_recv() {
                        self.take(Some(job), &mut jobs, &mut closing);
                    }
                }
                () = sleep_until(next_attempt.unwrap_or_else(Instant::now)), if free && next_attempt.is_some() => {}
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
        jobs: &mut mpsc::UnboundedReceiver<Job>,
        closing: &mut Vec<oneshot::Sender<()>>,
    ) {
        match job {
            Some(Job::Write(pending)) => self.held.push_back(pending),
            Some(Job::Close(answer)) => {
                // What is queued already is still written; what comes later is refused.
                jobs.close();
                closing.push(answer);
            }
            None => {}
        }
    }

    /// Takes the writes that may be sent together, oldest first, and pins their logs and keys.
    fn next_batch(&mut self, in_flight: usize) -> Option<Sent> {
        // Half of all that is under way, so that two statements of about the same size take turns: one gathers what the other
        // one's callers bring next. Sent as soon as a slot is free, whatever has come by then, batches would be a third.
        let share = (self.sent + self.held.len()).div_ceil(IN_FLIGHT as usize);
        if in_flight > 0 && self.held.len() < share {
            return None;
        }
        let mut batch: Vec<(usize, Pending)> = Vec::new();
        let mut ends: HashMap<LogId, (EventId, usize)> = HashMap::new();
        let mut groups = 0;
        let mut size = BatchSize::default();
        let mut passed_over = VecDeque::new();
        while let Some(pending) = self.held.pop_front() {
            let write = &pending.write;
            if !batch.is_empty() && !size.has_room_for(write) {
                self.held.push_front(pending);
                break;
            }
            let several = write.is_about_several_logs();
            let link_of = ends
                .get(&write.first.log_id)
                .filter(|(end, _)| !several && write.first.expected.is_after(*end))
                .map(|(_, group)| *group);
            // One about several logs travels alone, as the statement is another one. And a chain is not broken up.
            let elsewhere = several && !batch.is_empty();
            let enough = groups >= share && link_of.is_none();
            if elsewhere || enough || self.is_pinned(write, link_of.is_some()) {
                passed_over.push_back(pending);
                continue;
            }
            let Some(pending) = pending.take() else {
                continue;
            };
            self.pin(&pending.write);
            size.add(&pending.write);
            let group = link_of.unwrap_or_else(|| {
                groups += 1;
                groups - 1
            });
            let end = pending.write.first.last_event_id();
            ends.insert(pending.write.first.log_id, (end, group));
            batch.push((group, pending));
            if several || size.is_full() {
                break;
            }
        }
        // They stay in front of what came later, so that the writes of a log keep their order.
        passed_over.append(&mut self.held);
        self.held = passed_over;
        (!batch.is_empty()).then(|| Sent::new(batch, groups))
    }

    /// The next of those that met a lock, if its time has come.
    fn next_locked_out(&mut self) -> Option<Sent> {
        let now = Instant::now();
        let (pending, _) = self.locked_out.pop_front_if(|(_, at)| *at <= now)?;
        if self.is_pinned(&pending.write, false) {
            self.locked_out.push_back((pending, now + LOCKED_OUT));
            return None;
        }
        self.pin(&pending.write);
        Some(Sent::new(vec![(0, pending)], 1))
    }

    /// Whether the write must wait: for the log, unless it is the next link of a chain in the batch, or for its key.
    fn is_pinned(&self, write: &EncodedWrite, is_link: bool) -> bool {
        let key = write.key.as_ref();
        let pinned = |append| !is_link && self.pinned.contains(append);
        write.appends().any(|append| pinned(&append.log_id))
            || key.is_some_and(|key| self.keys.contains(&pin_of(key)))
    }

    fn pin(&mut self, write: &EncodedWrite) {
        self.pinned
            .extend(write.appends().map(|append| append.log_id));
        self.keys.extend(write.key.as_ref().map(pin_of));
    }

    fn unpin(&mut self, done: Vec<Done>) {
        self.sent -= done.len();
        let next_attempt = Instant::now() + LOCKED_OUT;
        for Done { write, again } in done {
            for append in write.appends() {
                self.pinned.remove(&append.log_id);
            }
            if let Some(key) = &write.key {
                self.keys.remove(&pin_of(key));
            }
            if let Some((answer, since, deadline)) = again {
                let pending = Pending {
                    write,
                    answer,
                    since,
                    deadline,
                };
                self.locked_out.push_back((pending, next_attempt));
            }
        }
    }
}

/// What a key is pinned by.
fn pin_of(key: &EncodedKey) -> (Option<LogId>, String) {
    (key.scope, key.key.clone())
}

impl Sent {
    /// Puts the writes of each group next to each other; within a group they stay in their order.
    fn new(mut batch: Vec<(usize, Pending)>, groups: usize) -> Self {
        if groups < batch.len() {
            batch.sort_by_key(|(group, _)| *group);
        }
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(groups);
        let mut last = None;
        for (place, (group, _)) in batch.iter().enumerate() {
            match ranges.last_mut() {
                Some(range) if last == Some(*group) => range.end = place + 1,
                _ => ranges.push(place..place + 1),
            }
            last = Some(*group);
        }
        Self {
            batch: batch.into_iter().map(|(_, pending)| pending).collect(),
            groups: ranges,
        }
    }
}

/// Writes a batch, and tells everybody but those that met a lock.
async fn write(core: Arc<Core>, sent: Sent) -> Vec<Done> {
    let Sent { batch, groups } = sent;
    let writes: Vec<_> = batch.iter().map(|pending| &pending.write).collect();
    let latest = batch.iter().map(|pending| pending.deadline).max();
    let deadline = latest.unwrap_or_else(Instant::now);
    tracing::trace!(writes = writes.len(), "writing a batch");
    let sent = Batch { writes, groups };
    let start = Instant::now();
    let mut written = append::write(&core, &sent, deadline).await;
    if let Some(error) = written
        .error
        .take_if(|error| written.open.len() > 1 && concerns_one(error))
    {
        tracing::debug!(%error, groups = written.open.len(), "writing the groups of a batch one by one");
        group_by_group(&core, &sent, &mut written, deadline).await;
    }
    let Written {
        outcomes, error, ..
    } = written;
    let outcomes = outcomes.into_iter().map(|outcome| match (outcome, &error) {
        (Some(outcome), _) => outcome,
        (None, Some(error)) => Err(repeated(error).into()),
        (None, None) => Err(StoreError::OutcomeUnknown { source: None }.into()),
    });
    let outcomes: Vec<_> = outcomes.collect();
    telemetry::batch_written(
        batch
            .iter()
            .map(|pending| pending.write.event_count())
            .sum(),
        batch.iter().map(|pending| start - pending.since),
        start.elapsed(),
    );
    let give_up_locks = core.options.lock_timeout;
    let told = batch.into_iter().zip(outcomes).map(|(pending, outcome)| {
        let Pending {
            write,
            answer,
            since,
            deadline,
        } = pending;
        let locked = matches!(outcome, Err(AppendError::Store(StoreError::Busy { .. })));
        let again = if locked && since.elapsed() < give_up_locks && Instant::now() < deadline {
            Some((answer, since, deadline))
        } else {
            answer.tell(outcome);
            None
        };
        Done { write, again }
    });
    told.collect()
}

/// Writes each group alone that has no outcome yet, so that one which cannot be stored does not take the others along.
async fn group_by_group(core: &Core, sent: &Batch<'_>, written: &mut Written, deadline: Instant) {
    for group in std::mem::take(&mut written.open) {
        let writes = sent.writes.get(group.clone()).unwrap_or_default().to_vec();
        let groups = std::iter::once(0..writes.len()).collect();
        let alone = append::write(core, &Batch { writes, groups }, deadline).await;
        let outcomes = written.outcomes.iter_mut().skip(group.start);
        for (outcome, alone_outcome) in outcomes.zip(alone.outcomes) {
            *outcome = alone_outcome.or_else(|| {
                let error = alone.error.as_ref();
                error.map(|error| Err(repeated(error).into()))
            });
        }
    }
}

/// Whether an error may be the fault of one write in a batch: a lock that it waits for, room that it lacks. Without a
/// server, the others would fare no better alone, and take their time one after the other.
const fn concerns_one(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::OutcomeUnknown { .. } | StoreError::Unavailable { .. } | StoreError::Closed
    )
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
