//! The gatherer: writes of all tasks in this process, in as few statements as possible.
//!
//! What arrives while a statement is in flight is the next batch. Nothing waits for a time to pass: a lone write is sent at
//! once, a few go together when the statement in flight is back, and many take turns in two statements, so that the next
//! batch is made while the last one commits. With more than two in flight the batches only get smaller.

use crate::stores::database::queue::Job;
use crate::stores::database::queue::batch_size::BatchSize;
use crate::stores::database::queue::pending::{Outcome, Pending};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::append::write_batch;
use crate::stores::postgres::batch::Batch;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::in_flight::InFlight;
use crate::stores::postgres::pins::{Pins, Placement};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

/// How many statements may be in flight.
pub(super) const IN_FLIGHT: u32 = 2;
/// The smallest second batch while another one is in flight, in writes: a statement costs the server as much as that many
/// rows, and this process as much again. Fewer writes wait, and go together with those of the callers who will be told next.
const MIN_SECOND_BATCH: usize = 16;
/// How long they wait at most. Statements take less, unless the network is slow or somebody's lock is in the way.
const MAX_COALESCE_WAIT: Duration = Duration::from_millis(2);
/// Among how many writes the gatherer looks for the next batch; the others wait in the queue. It passes over pinned writes,
/// so it must see more than one batch.
const MAX_HELD_WRITES: usize = 4_096;
/// How long a write that met somebody's lock waits before it is sent again.
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(200);
/// After how many yields in a row without a new write the gatherer stops waiting for the callers who were just told.
const MAX_QUIET_YIELDS: u32 = 3;

/// Starts the gatherer on the current runtime.
pub(super) fn start(jobs: mpsc::UnboundedReceiver<Job>, core: Arc<Core>) {
    let gatherer = Gatherer {
        core,
        jobs,
        closing: Vec::new(),
        held: VecDeque::new(),
        locked_out: VecDeque::new(),
        sent_at: Instant::now(),
        sent: 0,
        told: 0,
        pins: Pins::default(),
    };
    tokio::spawn(
        gatherer
            .run()
            .instrument(tracing::debug_span!("postgres writer")),
    );
}

/// What waits, and what may not be sent meanwhile.
struct Gatherer {
    /// The connections and statements; the callers' handles have the queue beside it.
    core: Arc<Core>,
    /// Where writes come from.
    jobs: mpsc::UnboundedReceiver<Job>,
    /// Who wants to know when everything is written.
    closing: Vec<oneshot::Sender<()>>,
    /// The writes that wait, in the order of arrival.
    held: VecDeque<Box<Pending>>,
    /// Those that met somebody's lock, with the time of their next attempt. They travel alone, so that an open transaction
    /// of somebody's holds up nobody else.
    locked_out: VecDeque<(Box<Pending>, Instant)>,
    /// When the last batch was sent.
    sent_at: Instant,
    /// How many writes are in flight.
    sent: usize,
    /// How many writes were in the last batch that has come back.
    told: usize,
    /// What may not be sent meanwhile.
    pins: Pins,
}

impl Gatherer {
    async fn run(mut self) {
        let mut in_flight = InFlight::new();
        let mut open = true;
        loop {
            while in_flight.len() < IN_FLIGHT as usize {
                let Some(batch) = self
                    .next_locked_out()
                    .or_else(|| self.next_batch(in_flight.len()))
                else {
                    break;
                };
                self.sent += batch.len();
                self.sent_at = Instant::now();
                let lone = batch.len() == 1 && self.held.is_empty();
                let written = write_batch(Arc::clone(&self.core), batch);
                if lone {
                    in_flight.push_lone(written);
                } else {
                    in_flight.push(written);
                }
            }
            let idle = self.held.is_empty() && self.locked_out.is_empty();
            if !open && in_flight.is_empty() && idle {
                break;
            }
            let free = in_flight.len() < IN_FLIGHT as usize;
            let next = self.next_attempt().filter(|_| free);
            tokio::select! {
                Some(written) = in_flight.next(), if !in_flight.is_empty() => {
                    self.tell(written);
                    if in_flight.is_empty() {
                        self.gather().await;
                    }
                }
                job = self.jobs.recv(), if open && self.held.len() < MAX_HELD_WRITES => {
                    open = job.is_some();
                    self.take(job);
                    // More of those who were told of the last batch may be about to come.
                    if self.told > 1 {
                        yield_now().await;
                    }
                    self.take_waiting();
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
        for answer in self.closing {
            // The one who asked may have stopped waiting.
            let _ = answer.send(());
        }
    }

    /// Lets those who were just told come with their next writes, now that nothing is in flight: what they bring belongs into
    /// the next statement, with what is held already and may be waiting for the same log. Ends when as many have come, or
    /// nobody does any more. Not for a lone caller: the runtime would wake another thread meanwhile, in vain.
    async fn gather(&mut self) {
        let (mut came, mut quiet) = (0, 0);
        while self.told > 1 && came < self.told && quiet < MAX_QUIET_YIELDS {
            yield_now().await;
            let taken = self.take_waiting();
            came += taken;
            quiet = if taken == 0 { quiet + 1 } else { 0 };
        }
    }

    /// Takes all that is in the queue, as far as there is room, and returns how much that was.
    fn take_waiting(&mut self) -> usize {
        let before = self.held.len();
        while self.held.len() < MAX_HELD_WRITES
            && let Ok(job) = self.jobs.try_recv()
        {
            self.take(Some(job));
        }
        self.held.len() - before
    }

    fn take(&mut self, job: Option<Job>) {
        match job {
            Some(Job::Write(pending)) => self.held.push_back(pending),
            Some(Job::Close(answer)) => {
                // What is queued already is still written; what comes later is refused.
                self.jobs.close();
                self.closing.push(answer);
            }
            None => {}
        }
    }

    /// How many writes make the next batch.
    ///
    /// Half of all that is under way, so that two statements of about the same size take turns: one gathers what the other
    /// one's callers bring next. Sent as soon as a slot is free, whatever has come by then, batches would be a third. Where
    /// half is little, all of it, once the statement in flight is back; but two lone writes do not wait for each other.
    fn share(&self) -> usize {
        let all = self.sent + self.held.len();
        let few = (3..MIN_SECOND_BATCH * IN_FLIGHT as usize).contains(&all);
        if few && self.sent_at.elapsed() < MAX_COALESCE_WAIT {
            all
        } else {
            all.div_ceil(IN_FLIGHT as usize)
        }
    }

    /// When to look again at what waits, if nothing happens before.
    fn next_attempt(&self) -> Option<Instant> {
        let locked_out = self.locked_out.front().map(|(_, at)| *at);
        let few = (!self.held.is_empty()).then(|| self.sent_at + MAX_COALESCE_WAIT);
        let few = few.filter(|at| *at > Instant::now());
        locked_out.into_iter().chain(few).min()
    }

    /// Takes the writes that may be sent together, oldest first, and pins their logs and keys.
    fn next_batch(&mut self, in_flight: usize) -> Option<Batch> {
        let share = self.share();
        if in_flight > 0 && self.held.len() < share {
            return None;
        }
        self.pins.begin();
        let now = Instant::now();
        let mut batch = Vec::new();
        let mut groups = 0;
        let mut size = BatchSize::default();
        let mut passed_over = VecDeque::new();
        while let Some(pending) = self.held.pop_front() {
            let write = &pending.write;
            if !batch.is_empty() && !size.has_room_for(write) {
                self.held.push_front(pending);
                break;
            }
            // One about several logs travels alone, as the statement is another one.
            let several = !write.others.is_empty();
            let group = match self.pins.placement(write) {
                Placement::AfterGroup(group) => group,
                // A chain is not broken up, whatever the share.
                Placement::OwnGroup if groups < share && !(several && groups > 0) => groups,
                Placement::OwnGroup | Placement::LaterBatch => {
                    passed_over.push_back(pending);
                    continue;
                }
            };
            let Some(pending) = pending.take(now) else {
                continue;
            };
            self.pins.pin(&pending.write, group);
            size.add(&pending.write);
            groups = groups.max(group + 1);
            batch.push((group, pending));
            if several || size.is_full() {
                break;
            }
        }
        // They stay in front of what came later, so that the writes of a log keep their order.
        passed_over.append(&mut self.held);
        self.held = passed_over;
        (!batch.is_empty()).then(|| Batch::new(batch, groups))
    }

    /// The next of those that met a lock, if its time has come.
    fn next_locked_out(&mut self) -> Option<Batch> {
        let now = Instant::now();
        let (pending, _) = self.locked_out.pop_front_if(|(_, at)| *at <= now)?;
        self.pins.begin();
        if !matches!(self.pins.placement(&pending.write), Placement::OwnGroup) {
            self.locked_out.push_back((pending, now + LOCK_RETRY_DELAY));
            return None;
        }
        let pending = pending.take(now)?;
        self.pins.pin(&pending.write, 0);
        Some(Batch::single(pending))
    }

    /// Tells everybody what became of their writes, but those that met a lock.
    fn tell(&mut self, written: Vec<(Box<Pending>, Outcome)>) {
        self.sent -= written.len();
        self.told = written.len();
        let now = Instant::now();
        let give_up_locks = self.core.options.lock_timeout;
        for (pending, outcome) in written {
            self.pins.unpin(&pending.write);
            let locked = matches!(outcome, Err(AppendError::Store(StoreError::Busy { .. })));
            if locked && now - pending.since < give_up_locks && now < pending.deadline {
                let pending = pending.put_back();
                self.locked_out.push_back((pending, now + LOCK_RETRY_DELAY));
            } else {
                pending.tell(outcome);
            }
        }
    }
}
