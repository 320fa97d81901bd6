//! Reading the tails of logs: the few events after a known one, or the newest ones.
//!
//! Most reductions only ask whether a log has events after those in a cache, and one statement for many logs costs the server
//! little more than one for a single log. So tails that are asked for while a statement is in flight are read by the next one,
//! as the writer does with appends. Nothing waits for a fixed time. A tail that is asked for alone is read by its caller,
//! without another task.
//!
//! Rows are returned encoded: each caller decodes its own, so a log that takes long to decode holds up no other.

use crate::stores::database::columns::column;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::core::Core;
use crate::stores::postgres::failure::AttemptError;
use crate::stores::postgres::retry;
use crate::stores::postgres::retry::Operation;
use crate::stores::postgres::tail_queue::{Answer, State, Tail, TailRows, Waiting};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::Instant;
use tracing::Instrument;

/// The greatest number of events of a tail. A fold with more to come reads the rest in a statement of its own.
pub(super) const MOST_EVENTS: usize = 32;
/// The greatest size of a payload that comes along, in bytes. With the numbers of events and of logs it bounds the payloads of a
/// statement: 33 MiB, and only if all events are that large. Metadata has a limit of its own when it is written.
const WHOLE_BYTES: i32 = 8 * 1024;
/// The greatest number of logs that one statement reads.
pub(super) const MOST_LOGS: usize = 128;
/// How many statements for several logs may be in flight.
const IN_FLIGHT: usize = 2;
/// The number of waiting tails from which a second statement is sent while another one is in flight. With fewer, one more
/// statement costs more than it gains.
const MIN_SECOND: usize = 16;
/// The number of yields in a row without a new tail after which a statement is sent. The callers of the last statement run
/// meanwhile, and most of them ask for another tail.
const MAX_QUIET_YIELDS: u32 = 2;

/// What a caller does.
enum Turn<'a> {
    /// It reads its tail itself.
    Alone(Alone<'a>),
    /// It waits for the answer.
    Wait(oneshot::Receiver<Answer>),
}

/// Reads a tail.
pub(super) async fn read(core: &Arc<Core>, tail: Tail) -> Answer {
    match turn(core, tail)? {
        Turn::Alone(_alone) => one(core, tail).await,
        Turn::Wait(answer) => match answer.await {
            Ok(answer) => answer,
            // The runtime of the reading task is gone.
            Err(_) => one(core, tail).await,
        },
    }
}

/// Reads several tails, and returns them in their order.
pub(super) async fn read_all(core: &Arc<Core>, tails: &[Tail]) -> Vec<Answer> {
    let mut receivers = Vec::with_capacity(tails.len());
    {
        let mut state = core.tails.state();
        for tail in tails {
            receivers.push(wait(&mut state, core, *tail));
        }
        start_reader(&mut state, core);
    }
    let mut answers = Vec::with_capacity(tails.len());
    for (tail, receiver) in tails.iter().zip(receivers) {
        let answer = match receiver {
            Ok(receiver) => receiver.await,
            Err(error) => Ok(Err(error)),
        };
        answers.push(match answer {
            Ok(answer) => answer,
            Err(_) => one(core, *tail).await,
        });
    }
    answers
}

/// Decides whether a caller reads its tail itself.
fn turn(core: &Arc<Core>, tail: Tail) -> Result<Turn<'_>, StoreError> {
    let mut state = core.tails.state();
    if state.readers == 0 && state.alone < IN_FLIGHT {
        state.alone += 1;
        return Ok(Turn::Alone(Alone { core }));
    }
    let answer = wait(&mut state, core, tail)?;
    // It does not wait for those that are read alone: their callers may have stopped polling them.
    start_reader(&mut state, core);
    Ok(Turn::Wait(answer))
}

/// A tail that its own task reads.
struct Alone<'a> {
    core: &'a Arc<Core>,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.core.tails.state().alone -= 1;
    }
}

/// Lets a tail wait for a statement.
fn wait(
    state: &mut State,
    core: &Core,
    tail: Tail,
) -> Result<oneshot::Receiver<Answer>, StoreError> {
    if state.waiting.len() >= core.options.limits.max_waiting_reads {
        return Err(StoreError::Overloaded);
    }
    let (answer, receiver) = oneshot::channel();
    state.waiting.push_back(Waiting {
        tail,
        deadline: core.options.deadline(),
        answer,
        counted: Some(core.tails.counted()),
    });
    Ok(receiver)
}

/// Starts a task that reads the waiting tails, if there should be one more.
fn start_reader(state: &mut State, core: &Arc<Core>) {
    let needed = match state.readers {
        0 => 1,
        _ => MIN_SECOND,
    };
    if state.waiting.len() < needed || state.readers >= IN_FLIGHT {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        // Without a runtime there is no task. The callers then read by themselves.
        state.waiting.clear();
        return;
    };
    state.readers += 1;
    let reader = Reader {
        core: Arc::clone(core),
        is_done: false,
    };
    let span = tracing::debug_span!("postgres reader");
    runtime.spawn(reader.run().instrument(span));
}

/// A task that reads the waiting tails until there are none.
struct Reader {
    core: Arc<Core>,
    is_done: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.is_done {
            // The runtime shuts down. The callers read by themselves.
            let mut state = self.core.tails.state();
            state.readers -= 1;
            state.waiting.clear();
        }
    }
}

impl Reader {
    async fn run(mut self) {
        while let Some(batch) = self.next().await {
            if !batch.is_empty() {
                self.read(batch).await;
            }
        }
    }

    /// Takes the tails that wait. If there are none, the task is done, in the same critical section.
    async fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut quiet = 0;
        let mut before = 0;
        loop {
            {
                let mut state = self.core.tails.state();
                let waiting = state.waiting.len();
                quiet = if waiting > before { 0 } else { quiet + 1 };
                before = waiting;
                if waiting >= MOST_LOGS || quiet > MAX_QUIET_YIELDS {
                    if waiting == 0 {
                        state.readers -= 1;
                        self.is_done = true;
                        return None;
                    }
                    return Some(batch(&mut state.waiting));
                }
            }
            yield_now().await;
        }
    }

    async fn read(&self, batch: Vec<Waiting>) {
        let core = &self.core;
        let mut places = HashMap::with_capacity(batch.len());
        let mut tails = Vec::with_capacity(batch.len());
        for waiting in &batch {
            places.entry(waiting.tail).or_insert_with(|| {
                tails.push(waiting.tail);
                tails.len() - 1
            });
        }
        let deadline = batch.iter().map(|waiting| waiting.deadline).min();
        let operation = core.reading_until(deadline.unwrap_or_else(Instant::now));
        let found = retry::read(&operation, || several(core, &operation, &tails)).await;
        let mut late = VecDeque::new();
        for mut waiting in batch {
            let range = places.get(&waiting.tail).copied();
            let answer = match &found {
                Ok((rows, ranges)) => Ok(TailRows {
                    rows: Arc::clone(rows),
                    range: range
                        .and_then(|place| ranges.get(place).cloned())
                        .unwrap_or_default(),
                }),
                // The deadline was that of another one.
                Err(_) if operation.is_over() && waiting.deadline > Instant::now() => {
                    waiting.counted = Some(core.tails.counted());
                    late.push_back(waiting);
                    continue;
                }
                Err(error) => Err(error.clone()),
            };
            // An error means that the caller has given up.
            let _ = waiting.answer.send(answer);
        }
        if !late.is_empty() {
            let mut state = core.tails.state();
            late.append(&mut state.waiting);
            state.waiting = late;
        }
    }
}

/// Takes tails of one form from the front, without those whose callers have given up.
fn batch(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut batch: Vec<Waiting> = Vec::with_capacity(waiting.len().min(MOST_LOGS));
    while batch.len() < MOST_LOGS
        && let Some(mut next) = waiting.pop_front_if(|next| {
            batch
                .first()
                .is_none_or(|first| first.tail.goes_with(&next.tail))
        })
    {
        if !next.answer.is_closed() {
            next.counted = None;
            batch.push(next);
        }
    }
    batch
}

/// Reads a single tail.
async fn one(core: &Core, tail: Tail) -> Answer {
    let operation = core.reading();
    let rows = retry::read(&operation, || one_once(core, &operation, tail)).await?;
    Ok(TailRows {
        range: 0..rows.len(),
        rows: Arc::new(rows),
    })
}

async fn one_once(
    core: &Core,
    operation: &Operation<'_>,
    tail: Tail,
) -> Result<Vec<PgRow>, AttemptError> {
    let mut connection = operation.lease().await?;
    let statements = &core.statements.reads;
    let statement = match tail {
        Tail::Range(bounds) => statements.tail(bounds, WHOLE_BYTES),
        Tail::Newest(log_id, most) => statements.newest(&[log_id], rows(most), WHOLE_BYTES),
    };
    let rows = connection.rows(statement).await?;
    connection.give_back();
    Ok(rows)
}

/// The rows of a statement, and those of each tail.
type Found = (Arc<Vec<PgRow>>, Vec<Range<usize>>);

/// Reads several tails of one form.
async fn several(
    core: &Core,
    operation: &Operation<'_>,
    tails: &[Tail],
) -> Result<Found, AttemptError> {
    if let [tail] = tails {
        let rows = one_once(core, operation, *tail).await?;
        let all = 0..rows.len();
        return Ok((Arc::new(rows), vec![all]));
    }
    let mut connection = operation.lease().await?;
    let statements = &core.statements.reads;
    let ranges = tails.iter().filter_map(|tail| match tail {
        Tail::Range(bounds) => Some(*bounds),
        Tail::Newest(..) => None,
    });
    let ranges: Vec<_> = ranges.collect();
    let statement = match tails.first() {
        Some(Tail::Newest(_, most)) => {
            let log_ids = tails.iter().filter_map(|tail| match tail {
                Tail::Newest(log_id, _) => Some(*log_id),
                Tail::Range(_) => None,
            });
            statements.newest(&log_ids.collect::<Vec<_>>(), rows(*most), WHOLE_BYTES)
        }
        _ => statements.tails(&ranges, WHOLE_BYTES),
    };
    let rows = connection.rows(statement).await?;
    connection.give_back();
    let mut found = vec![0..0; tails.len()];
    let nth = rows.first().map(|row| column(row, "nth")).transpose()?;
    for (place, row) in rows.iter().enumerate() {
        let nth: i64 = row.try_get_unchecked(nth.unwrap_or_default())?;
        let tail = usize::try_from(nth - 1).ok();
        if let Some(found) = tail.and_then(|tail| found.get_mut(tail)) {
            if found.start == found.end {
                found.start = place;
            }
            found.end = place + 1;
        }
    }
    Ok((Arc::new(rows), found))
}

fn rows(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
