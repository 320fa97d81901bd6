//! Sending a batch of waiting writes, and what each of them is told.

use super::Core;
use crate::stores::database::queue::pending::{Outcome, Pending};
use crate::stores::database::telemetry;
use crate::stores::error::store::StoreError;
use crate::stores::postgres::append;
use crate::stores::postgres::append::{Batch, Written};
use futures_util::FutureExt;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::Instant;

/// Writes on their way, those that build on one another next to each other.
pub(super) struct Sent {
    /// The writes.
    #[expect(clippy::vec_box, reason = "each box goes back to its caller")]
    batch: Vec<Box<Pending>>,
    /// The groups among them.
    groups: Vec<Range<usize>>,
}

impl Sent {
    /// How many writes there are.
    pub(super) fn len(&self) -> usize {
        self.batch.len()
    }

    /// Puts the writes of each group next to each other; within a group they stay in their order.
    pub(super) fn new(mut batch: Vec<(usize, Box<Pending>)>, groups: usize) -> Self {
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

/// Writes a batch, and finds out what each of its writes is to be told.
pub(super) async fn write(core: Arc<Core>, sent: Sent) -> Vec<(Box<Pending>, Outcome)> {
    let Sent { batch, groups } = sent;
    let writes: Vec<_> = batch.iter().map(|pending| &pending.write).collect();
    let latest = batch.iter().map(|pending| pending.deadline).max();
    let deadline = latest.unwrap_or_else(Instant::now);
    tracing::trace!(writes = writes.len(), "writing a batch");
    let sent = Batch { writes, groups };
    let start = Instant::now();
    // The driver panics at some things that a database can contain. That must not take along the gatherer, or what it knows
    // of the logs in flight; what became of the batch is unknown then.
    let written = AssertUnwindSafe(send(&core, &sent, deadline)).catch_unwind();
    let written = written.await.unwrap_or_else(|_| Written {
        outcomes: batch.iter().map(|_| None).collect(),
        open: Vec::new(),
        error: None,
    });
    let Written {
        outcomes, error, ..
    } = written;
    let outcomes = outcomes.into_iter().map(|outcome| match (outcome, &error) {
        (Some(outcome), _) => outcome,
        (None, Some(error)) => Err(error.for_another_caller().into()),
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
    batch.into_iter().zip(outcomes).collect()
}

/// Sends a batch; if that fails for a reason that may be the fault of one, each group alone.
async fn send(core: &Core, sent: &Batch<'_>, deadline: Instant) -> Written {
    let mut written = append::write(core, sent, deadline).await;
    if let Some(error) = written
        .error
        .take_if(|error| written.open.len() > 1 && error.may_concern_one_write())
    {
        tracing::debug!(%error, groups = written.open.len(), "writing the groups of a batch one by one");
        group_by_group(core, sent, &mut written, deadline).await;
    }
    written
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
                error.map(|error| Err(error.for_another_caller().into()))
            });
        }
    }
}
