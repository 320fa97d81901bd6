//! Reading logs into folds.
//!
//! A fold that starts after an event, or expects a short log, probably has few events to come. It reads its tail together with those of other tasks
//! ([`tails`]). All other events come in one statement ([`streaming`](super::streaming)).

use crate::event::Event;
use crate::ids::LogId;
use crate::stores::encoding::decoded::signed;
use crate::stores::error::ReadError;
use crate::stores::error::store::StoreError;
use crate::stores::fold::{EventFold, NewestEvents};
use crate::stores::page::{Page, ReadRequest, ReadStart};
use crate::stores::postgres::core::Core;
use crate::stores::postgres::event_row::{EventColumns, EventRow};
use crate::stores::postgres::failure::Failure;
use crate::stores::postgres::statements::reads::TailBounds;
use crate::stores::postgres::streaming::{to_end, wrong_kind};
use crate::stores::postgres::tail_queue::{Tail, TailRows};
use crate::stores::postgres::tails;
use crate::stores::postgres::taking::{Next, Plan, TakeError, Taking, Took, first_row};
use futures_util::{StreamExt, stream};
use sqlx::postgres::PgRow;
use std::sync::Arc;

/// The number of expected events up to which a whole log is read like a tail: somewhat fewer than a tail has.
const FEW_EVENTS: u64 = 24;

/// How many logs are read at the same time for one caller.
const TOGETHER: usize = 4;

/// Gives the events of a log to a fold, from where it starts to the end of the log.
pub(super) async fn fold<E: Event>(
    core: &Arc<Core>,
    fold: &mut dyn EventFold<E>,
) -> Result<(), ReadError> {
    let plan = Plan::of(fold);
    if let Some(tail) = tail_of(fold) {
        let rows = tails::read(core, tail).await?;
        if take_tail(core, &plan, &rows, fold).await? {
            return Ok(());
        }
    }
    to_end(core, &plan, fold).await
}

/// Gives the events of several logs to one fold each.
pub(super) async fn fold_all<E: Event>(
    core: &Arc<Core>,
    folds: &mut [&mut dyn EventFold<E>],
) -> Vec<Result<(), ReadError>> {
    let tails: Vec<_> = folds.iter().map(|fold| tail_of(&**fold)).collect();
    let asked: Vec<_> = tails.iter().copied().flatten().collect();
    let mut answers = Vec::with_capacity(asked.len());
    // No more than may wait: the logs of one call must not overload the store.
    let most = core.options.limits.max_waiting_reads.max(1);
    for together in asked.chunks(most.min(tails::MOST_LOGS)) {
        answers.extend(tails::read_all(core, together).await);
    }
    let mut answers = answers.into_iter();
    let folding = folds.iter_mut().zip(tails).map(|(fold, tail)| {
        let answer = tail.and_then(|_| answers.next());
        async move {
            let plan = Plan::of(&**fold);
            if let Some(rows) = answer
                && take_tail(core, &plan, &rows?, &mut **fold).await?
            {
                return Ok(());
            }
            to_end(core, &plan, &mut **fold).await
        }
    });
    let folding: Vec<_> = folding.collect();
    stream::iter(folding).buffered(TOGETHER).collect().await
}

/// Returns the tail that a fold begins with, if it starts after an event or expects few events.
fn tail_of<E>(fold: &dyn EventFold<E>) -> Option<Tail> {
    let (first, anchor) = match fold.start() {
        ReadStart::After(position) => (signed(position.index()), Some(signed(position.index()))),
        ReadStart::Index(index) if fold.expected_events().is_some_and(|few| few <= FEW_EVENTS) => {
            (signed(index), None)
        }
        ReadStart::Index(_) => return None,
    };
    Some(Tail::Range(TailBounds {
        log_id: fold.log_id(),
        first,
        last: first.saturating_add(signed(tails::MOST_EVENTS as u64)),
        anchor,
    }))
}

/// Takes the rows of a tail. Returns `false` if there may be more events.
async fn take_tail<E: Event>(
    core: &Core,
    plan: &Plan,
    rows: &TailRows,
    fold: &mut dyn EventFold<E>,
) -> Result<bool, ReadError> {
    let rows = rows.rows();
    let (_, anchor) = first_row(fold.start());
    let mut taking = Taking::new(plan, fold.log_id(), anchor);
    match taking.take_all(rows.iter(), fold) {
        Ok(Took::All) => {}
        Ok(Took::Enough) => return Ok(true),
        Err(TakeError::LeftOut) => return Ok(false),
        Err(TakeError::Store(error)) => return Err(failed(error).into()),
        Err(TakeError::Read(error)) => return Err(error),
        Err(TakeError::OtherKind(number)) => {
            return Err(wrong_kind::<E>(core, fold.log_id(), number).await);
        }
    }
    taking.end()?;
    Ok(rows.len() <= tails::MOST_EVENTS)
}

/// Reads a page of few events together with the tails of other logs. Returns `None` if the page has to be read in a statement of
/// its own.
pub(super) async fn short_page<E: Event>(
    core: &Arc<Core>,
    request: ReadRequest,
) -> Result<Option<Page<E>>, ReadError> {
    if request.limit == 0 || request.limit >= tails::MOST_EVENTS {
        return Ok(None);
    }
    let (first, anchor) = first_row(request.start);
    // One more shows whether the log goes on.
    let rows = request.limit + usize::from(anchor.is_some()) + 1;
    let bounds = TailBounds {
        log_id: request.log_id,
        first,
        last: first.saturating_add(signed(rows as u64 - 1)),
        anchor: anchor.map(|_| first),
    };
    let rows = tails::read(core, Tail::Range(bounds)).await?;
    let rows = rows.rows();
    let plan = Plan::everything();
    let mut taking = Taking::new(&plan, request.log_id, anchor);
    let columns = rows.first().map(EventColumns::find).transpose();
    let columns = columns.map_err(failed)?;
    let mut records = Vec::with_capacity(rows.len());
    let mut more = false;
    for row in rows {
        // The last row is there only to show that there is one.
        more = records.len() == request.limit;
        let (false, Some(columns)) = (more, columns) else {
            break;
        };
        match taking.next(EventRow::new(row, columns)) {
            Ok(Next::Event(record)) => records.push(record),
            Ok(Next::Anchor | Next::Ignored(_)) => {}
            Err(TakeError::LeftOut | TakeError::OtherKind(_)) => return Ok(None),
            Err(TakeError::Store(error)) => return Err(failed(error).into()),
            Err(TakeError::Read(error)) => return Err(error),
        }
    }
    taking.end()?;
    Ok(Some(Page { records, more }))
}

fn failed(error: sqlx::Error) -> StoreError {
    Failure::from(error).into()
}

/// The newest events of a log.
pub(super) struct Newest {
    rows: TailRows,
}

impl Newest {
    pub(super) async fn read(
        core: &Arc<Core>,
        log_id: LogId,
        most: usize,
    ) -> Result<Self, StoreError> {
        let most = most.clamp(1, tails::MOST_EVENTS);
        let rows = tails::read(core, Tail::Newest(log_id, most)).await?;
        Ok(Self { rows })
    }
}

impl<E: Event> NewestEvents<E> for Newest {
    fn fold(self: Box<Self>, fold: &mut dyn EventFold<E>) -> Result<bool, ReadError> {
        let rows = self.rows.rows();
        let (first, anchor) = first_row(fold.start());
        let plan = Plan::of(fold);
        let mut taking = Taking::new(&plan, fold.log_id(), anchor);
        if let Some(oldest) = rows.last() {
            let columns = EventColumns::find(oldest).map_err(failed)?;
            let index = |row: &PgRow| EventRow::new(row, columns).index();
            if index(oldest).map_err(failed)? > first {
                return Ok(false);
            }
            // The rows are in the opposite order.
            let is_due = |row: &&PgRow| index(row).is_ok_and(|index| index >= first);
            match taking.take_all(rows.iter().rev().filter(is_due), fold) {
                Ok(Took::All) => {}
                Ok(Took::Enough) => return Ok(true),
                // A statement of its own finds out more.
                Err(TakeError::LeftOut | TakeError::OtherKind(_)) => return Ok(false),
                Err(TakeError::Store(error)) => return Err(failed(error).into()),
                Err(TakeError::Read(error)) => return Err(error),
            }
        }
        taking.end()?;
        Ok(true)
    }
}
