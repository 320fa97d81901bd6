//! Lists of logs.

use crate::cursor::Cursor;
use crate::ids::LogId;
use crate::record::{EventRecord, RecordedEvent};
use crate::stores::fake::state::State;
use crate::stores::list::cursor::{ListCursor, ListStart, SeenChanges};
use crate::stores::list::{ListRequest, ListedLog, LogList};
use std::collections::HashSet;
use std::ops::Bound;

/// Lists the logs whose first event is accepted.
pub(super) fn page<T, E>(
    state: &State<T>,
    request: &ListRequest,
    accepts: impl Fn(&T) -> bool,
) -> LogList<E> {
    match &request.start {
        ListStart::Id(after) => by_id(state, *after, request.limit, accepts),
        ListStart::NewestChange(seen) => by_change(state, seen.as_ref(), request.limit, accepts),
    }
}

fn by_id<T, E>(
    state: &State<T>,
    after: Option<LogId>,
    limit: usize,
    accepts: impl Fn(&T) -> bool,
) -> LogList<E> {
    let mut page = LogList::default();
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    for (log_id, log) in state.logs.range((start, Bound::Unbounded)) {
        page.looked_at += 1;
        let is_listed = log.first().is_some_and(|first| accepts(first.event()));
        page.logs
            .extend(log.last().filter(|_| is_listed).map(listed));
        if page.logs.len() >= limit || page.looked_at >= ListRequest::MOST_LOGS {
            page.next = Some(ListCursor::from(*log_id));
            break;
        }
    }
    page
}

/// The place of an event is its number in the order of the writes.
fn by_change<T, E>(
    state: &State<T>,
    seen: Option<&SeenChanges>,
    limit: usize,
    accepts: impl Fn(&T) -> bool,
) -> LogList<E> {
    let mut page = LogList::default();
    let end = state.feed.len();
    let number = |cursor: Cursor| usize::try_from(cursor.place().position).unwrap_or(end);
    let top = seen.map_or(end, |seen| number(seen.top()).min(end));
    let last = seen.map_or(top, |seen| number(seen.last()).min(top));
    // Logs with an event after the one that is looked at.
    let mut later: HashSet<LogId> = state.feed[last..top]
        .iter()
        .map(|(log_id, _)| *log_id)
        .collect();
    for (number, (log_id, index)) in state.feed[..last].iter().enumerate().rev() {
        page.looked_at += 1;
        let log = state.log(*log_id);
        let is_listed = log.first().is_some_and(|first| accepts(first.event()));
        let event = usize::try_from(*index)
            .ok()
            .and_then(|index| log.get(index));
        if later.insert(*log_id) && is_listed {
            page.logs.extend(event.map(listed));
        }
        if page.logs.len() >= limit || page.looked_at >= ListRequest::MOST_CHANGES {
            page.next = Some(SeenChanges::new(place(top), place(number)).into());
            break;
        }
    }
    page
}

fn listed<T, E>(last: &RecordedEvent<T>) -> ListedLog<E> {
    ListedLog::new(last.position(), last.recorded_at())
}

fn place(number: usize) -> Cursor {
    Cursor::from_parts(0, 0, number as u64, None)
}
