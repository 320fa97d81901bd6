//! The writer: sends the writes of all tasks of this process, in as few statements as possible.
//!
//! The writes that arrive while a statement is in flight are the next batch. Nothing waits for a fixed time: a single write is
//! sent immediately, a few writes go together when the statement in flight returns, and many writes go in two statements in
//! turn, so that the next batch is made while the last one commits. With more than two in flight, the batches only get smaller.

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
/// The number of writes from which a second batch is sent while another one is in flight. One more statement costs the server
/// as much as this many rows. It costs this process the same amount: see "Figures" in ARCHITECTURE. If there are fewer writes
/// than this, they wait, at most for [`MAX_COALESCE_WAIT`]. They are sent together with the next writes of the callers whose
/// batch returns first. This is the coalescing wait.
const MIN_SECOND_BATCH: usize = 16;
/// The longest coalescing wait. Statements take less, unless the network is slow or a lock of another session delays them.
const MAX_COALESCE_WAIT: Duration = Duration::from_millis(2);
/// The most writes that the writer holds for the next batch; the others wait in the queue. Writes whose log or key is in flight
/// are skipped, so the writer must hold more than one batch.
const MAX_HELD_WRITES: usize = 4_096;
/// How long a write that met a lock of another session waits before it is sent again.
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(200);
/// The number of yields in a row without a new write after which the writer stops waiting for the callers of the last batch.
const MAX_QUIET_YIELDS: u32 = 3;

/// Starts the writer on the current runtime.
pub(super) fn start(jobs: mpsc::UnboundedReceiver<Job>, core: Arc<Core>) {
    let writer = Writer {
        core,
        jobs,
        closing: Vec::new(),
        held: VecDeque::new(),
        locked_out: VecDeque::new(),
        sent_at: Instant::now(),
        sent: 0,
        settled: 0,
        pins: Pins::default(),
    };
    tokio::spawn(
        writer
            .run()
            .instrument(tracing::debug_span!("postgres writer")),
    );
}

/// The writer's task: the writes that wait, and the pins of those in flight.
struct Writer {
    /// The connections and statements. The callers' handles share them, and also hold the sending end of the queue.
    core: Arc<Core>,
    /// The jobs from the queue.
    jobs: mpsc::UnboundedReceiver<Job>,
    /// The callers that wait until everything is written.
    closing: Vec<oneshot::Sender<()>>,
    /// The writes that wait, in the order of arrival.
    held: VecDeque<Box<Pending>>,
    /// The writes that met a lock of another session, with the time of their next attempt. Each is alone in its batch, so that
    /// an open transaction of another session delays no other write.
    locked_out: VecDeque<(Box<Pending>, Instant)>,
    /// When the last batch was sent.
    sent_at: Instant,
    /// How many writes are in flight.
    sent: usize,
    /// How many writes were in the batch that returned last.
    settled: usize,
    /// The logs and keys in flight.
    pins: Pins,
}

impl Writer {
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
                    in_flight.push_single(written);
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
                    self.settle(written);
                    if in_flight.is_empty() {
                        self.coalesce().await;
                    }
                }
                job = self.jobs.recv(), if open && self.held.len() < MAX_HELD_WRITES => {
                    open = job.is_some();
                    self.take(job);
                    // The other callers of the last batch may be about to queue their next writes.
                    if self.settled > 1 {
                        yield_now().await;
                    }
                    self.take_waiting();
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
        for answer in self.closing {
            // The caller may have stopped waiting.
            let _ = answer.send(());
        }
    }

    /// Lets the callers of the last batch queue their next writes, now that nothing is in flight. These writes belong in the
    /// next statement, together with the writes that are held already and may wait for the same log. Ends when as many writes
    /// have come as were in the last batch, or when no more come. This is not done for a single caller, because the runtime
    /// would wake another thread in vain.
    async fn coalesce(&mut self) {
        let (mut came, mut quiet) = (0, 0);
        while self.settled > 1 && came < self.settled && quiet < MAX_QUIET_YIELDS {
            yield_now().await;
            let taken = self.take_waiting();
            came += taken;
            quiet = if taken == 0 { quiet + 1 } else { 0 };
        }
    }

    /// Takes all jobs from the queue, as long as there is room. Returns the number of writes among them.
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
                // Writes that are queued already are still written; later ones are refused.
                self.jobs.close();
                self.closing.push(answer);
            }
            None => {}
        }
    }

    /// Returns how many writes make the next batch.
    ///
    /// It is half of all writes that are held or in flight, so that two statements of about the same size take turns: while one
    /// statement is in flight, the next writes of the callers of the other statement gather. Sending at every free slot would
    /// split the writes three ways: two batches in flight, and one that waits. With 3 to 31 writes the share is all of them,
    /// sent when the statement in flight returns, or after [`MAX_COALESCE_WAIT`]. Two single writes do not wait for each other.
    fn share(&self) -> usize {
        let all = self.sent + self.held.len();
        let few = (3..MIN_SECOND_BATCH * IN_FLIGHT as usize).contains(&all);
        if few && self.sent_at.elapsed() < MAX_COALESCE_WAIT {
            all
        } else {
            all.div_ceil(IN_FLIGHT as usize)
        }
    }

    /// Returns when to look again at the waiting writes, if nothing happens before.
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
            let placement = self.pins.placement(write);
            let joined: &[usize] = match &placement {
                Placement::AfterGroup(group) => std::slice::from_ref(group),
                // A chain is not broken up, whatever the share is. But one of the logs that are in no group may have an earlier
                // write that is over the share.
                Placement::Joining {
                    groups: joined,
                    is_closed,
                } if *is_closed || groups < share => joined,
                Placement::OwnGroup if groups < share => &[],
                Placement::Joining { .. } | Placement::OwnGroup | Placement::LaterBatch => {
                    let is_late = matches!(placement, Placement::LaterBatch);
                    if write.log_count() > 1 || (is_late && write.context.key.is_some()) {
                        self.pins.pass_over(write);
                    }
                    passed_over.push_back(pending);
                    continue;
                }
            };
            let Some(pending) = pending.take(now) else {
                continue;
            };
            let group = self.pins.join(joined).unwrap_or(groups);
            self.pins.pin(&pending.write, group);
            size.add(&pending.write);
            groups = groups.max(group + 1);
            batch.push((group, pending));
            if size.is_full() {
                break;
            }
        }
        for (group, _) in &mut batch {
            *group = self.pins.group(*group);
        }
        // They go before the writes that came later, so that the writes of a log keep their order.
        passed_over.append(&mut self.held);
        self.held = passed_over;
        (!batch.is_empty()).then(|| Batch::new(batch, groups))
    }

    /// Takes the next write that met a lock, if its time has come.
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

    /// Sends each caller its outcome. Writes that met a lock are sent again later, until the lock timeout or their deadline.
    fn settle(&mut self, written: Vec<(Box<Pending>, Outcome)>) {
        self.sent -= written.len();
        self.settled = written.len();
        let now = Instant::now();
        let give_up_locks = self.core.options.lock_timeout;
        for (pending, outcome) in written {
            self.pins.unpin(&pending.write);
            let locked = matches!(outcome, Err(AppendError::Store(StoreError::Busy { .. })));
            if locked && now - pending.since < give_up_locks && now < pending.deadline {
                let pending = pending.put_back();
                self.locked_out.push_back((pending, now + LOCK_RETRY_DELAY));
            } else {
                pending.settle(outcome);
            }
        }
    }
}
