//! Promises about lists of logs.

use crate::__example::CounterEvent;
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::record::EventRecord;
use crate::stores::appends::Appends;
use crate::stores::error::AppendError;
use crate::stores::error::invalid::InvalidAppend;
use crate::stores::list::cursor::{ListCursor, ListOrder, ListStart};
use crate::stores::list::{ListRequest, ListedLog, LogList};
use crate::stores::request::AppendRequest;
use crate::testing::conformance::events::{FormerEvent, UnrelatedEvent};
use crate::testing::conformance::store::helpers::{
    Store, added, all, append, append_across, create, log_of,
};
use uuid::Uuid;

/// Both orders of a list.
const ORDERS: [ListOrder; 2] = [ListOrder::Id, ListOrder::NewestChange];

async fn list(
    store: &impl Store,
    order: ListOrder,
    after: Option<&ListCursor>,
    limit: usize,
) -> LogList<CounterEvent> {
    let start = ListStart::new(order, after).expect("the cursor is of this order");
    let page = store.list(ListRequest::new(start, limit)).await;
    let page = page.expect("the logs can be listed");
    assert!(page.logs.len() <= limit.max(1), "{page:?}");
    let most = match order {
        ListOrder::Id => ListRequest::MOST_LOGS,
        ListOrder::NewestChange => ListRequest::MOST_CHANGES,
    };
    assert!(page.looked_at <= most, "{page:?}");
    assert!(page.looked_at >= page.logs.len(), "{page:?}");
    assert!(page.looked_at > 0 || page.next.is_none(), "{page:?}");
    page
}

/// Returns the logs of all pages from a cursor on.
async fn rest(
    store: &impl Store,
    order: ListOrder,
    mut after: Option<ListCursor>,
    limit: usize,
) -> Vec<ListedLog<CounterEvent>> {
    let mut logs = Vec::new();
    loop {
        let page = list(store, order, after.as_ref(), limit).await;
        logs.extend(page.logs);
        match page.next {
            Some(next) => assert_ne!(after.replace(next), after, "each page goes further"),
            None => return logs,
        }
    }
}

/// Returns the positions of the logs that a test has made, for stores that outlive a test.
fn positions(logs: &[ListedLog<CounterEvent>], made: &[LogPosition]) -> Vec<LogPosition> {
    let ids: Vec<_> = made.iter().map(LogPosition::log_id).collect();
    let logs = logs.iter().filter(|log| ids.contains(&log.log_id));
    logs.map(|log| log.state().position()).collect()
}

/// All pages together have every log once, in the order of the list, with the log's last event. A limit of 0 counts as 1, and
/// no limit is too large.
pub async fn a_list_has_every_log_once(store: &impl Store) {
    let mut made = Vec::new();
    for events in [1, 3, 2, 1, 5, 1, 2] {
        made.push(log_of(store, events).await);
    }
    let ends = [(made[1], vec![added(7)]), (made[4], vec![added(7); 3])];
    let ends = append_across(store, ends.to_vec()).await;
    let ends = ends.expect("the states are current");
    (made[1], made[4]) = (ends[0], ends[1]);
    made.sort_by_key(LogPosition::log_id);
    for limit in [0, 1, 2, 3, 7, 100, usize::MAX] {
        for order in ORDERS {
            let logs = rest(store, order, None, limit).await;
            let mut found = positions(&logs, &made);
            if order == ListOrder::Id {
                assert!(logs.is_sorted_by_key(|log| log.log_id), "{logs:?}");
            }
            found.sort_by_key(LogPosition::log_id);
            assert_eq!(found, made, "{order} in pages of {limit}");
            for log in logs {
                let records = all(store, log.log_id).await;
                let last = records.last().expect("the log has events");
                assert_eq!(log.changed_at, last.recorded_at());
            }
        }
    }
}

/// In the order of the newest changes, the log whose last event is the newest one comes first. Its earlier events mean nothing.
pub async fn the_newest_change_comes_first(store: &impl Store) {
    let first = log_of(store, 2).await;
    let second = log_of(store, 1).await;
    let third = log_of(store, 3).await;
    let first = append(store, first, 7).await.expect("it is current").state;
    for limit in [1, 2, 10] {
        let made = [first, third, second];
        let logs = rest(store, ListOrder::NewestChange, None, limit).await;
        assert_eq!(positions(&logs, &made), made);
    }
    let second = append(store, second, 7).await.expect("it is current").state;
    let made = [second, first, third];
    let logs = rest(store, ListOrder::NewestChange, None, 10).await;
    assert_eq!(positions(&logs, &made), made);
}

/// An append after the state of a listed log succeeds if the log has not changed since.
pub async fn a_listed_state_can_be_appended_to(store: &impl Store) {
    let made = log_of(store, 3).await;
    for order in ORDERS {
        let logs = rest(store, order, None, 10).await;
        let log = logs.iter().find(|log| log.log_id == made.log_id());
        let state = log.expect("the log is listed").state();
        let position = state.position();
        append(store, position, 7).await.expect("it is current");
        let refused = append(store, position, 8).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { .. })),
            "{refused:?}"
        );
    }
}

/// A cursor stays the same when it is kept as a text.
pub async fn a_list_goes_on_after_a_cursor_that_was_a_text(store: &impl Store) {
    for _ in 0..3 {
        log_of(store, 2).await;
    }
    for order in ORDERS {
        let page = list(store, order, None, 1).await;
        let cursor = page.next.expect("there are more logs");
        let text = cursor.to_string();
        let read: ListCursor = text.parse().expect("it is the text of a cursor");
        assert_eq!(read, cursor, "{text}");
        assert_eq!(
            rest(store, order, Some(read), 1).await,
            rest(store, order, Some(cursor), 100).await
        );
    }
}

/// In the order of the ids, a page has its logs as they are when it is read, and logs that were created since the page before.
pub async fn a_list_by_id_shows_each_log_as_it_is(store: &impl Store) {
    let first = log_of(store, 1).await;
    let second = log_of(store, 1).await;
    let before = ListCursor::from(first.log_id());
    let second = append(store, second, 7).await.expect("it is current").state;
    append(store, first, 7).await.expect("it is current");
    let third = log_of(store, 1).await;
    let logs = rest(store, ListOrder::Id, Some(before), 1).await;
    let made = [first, second, third];
    assert_eq!(positions(&logs, &made), [second, third]);
    // No id is greater than the last one.
    let last = LogId::from_uuid(Uuid::max());
    assert_eq!(rest(store, ListOrder::Id, Some(last.into()), 1).await, []);
}

/// In the order of the newest changes, all pages have the logs as they were when the first page was read, each log once.
pub async fn a_list_by_newest_change_shows_the_logs_as_they_were(store: &impl Store) {
    let first = log_of(store, 2).await;
    let second = log_of(store, 1).await;
    let third = log_of(store, 1).await;
    let page = list(store, ListOrder::NewestChange, None, 1).await;
    assert_eq!(page.logs[0].state().position(), third);
    // One that is still to come, one that was returned, and one that did not exist.
    append(store, first, 7).await.expect("it is current");
    append(store, third, 7).await.expect("it is current");
    let fourth = log_of(store, 1).await;
    let made = [first, second, third, fourth];
    let logs = rest(store, ListOrder::NewestChange, page.next, 1).await;
    assert_eq!(positions(&logs, &made), [second, first]);
}

/// A list has the logs of its own kind, also those that were created under a former name of it, and no others.
pub async fn a_list_has_the_logs_of_one_kind(store: &impl Store) {
    let own = log_of(store, 2).await;
    let others = [LogId::new(), LogId::new()];
    let former = LogId::new();
    let appends = Appends::new()
        .create(others[0], [UnrelatedEvent])
        .create(former, [FormerEvent, FormerEvent])
        .create(others[1], [UnrelatedEvent, UnrelatedEvent]);
    let states = match append_across(store, appends).await {
        // A store that keeps the events of one enum has no logs of another kind.
        Err(AppendError::Invalid(InvalidAppend::OtherEvents { .. })) => return,
        states => states.expect("the logs are new"),
    };
    for order in ORDERS {
        for limit in [1, 10] {
            let logs = rest(store, order, None, limit).await;
            let mut found = positions(&logs, &[own, states[0], states[1], states[2]]);
            found.sort_by_key(LogPosition::log_id);
            assert_eq!(found, [own, states[1]]);
        }
    }
}

/// A page in the order of the ids ends after a fixed number of logs, of whatever kind. It says so with a cursor, even if it has
/// no log.
pub async fn a_page_by_id_looks_at_a_fixed_number_of_logs(store: &impl Store) {
    const MOST: u128 = ListRequest::MOST_LOGS as u128;
    // These are before all other logs.
    let ids: Vec<_> = (0..MOST)
        .map(|id| LogId::from_uuid(Uuid::from_u128(id)))
        .collect();
    let unrelated = |ids: &[LogId]| {
        let none = Appends::new();
        ids.iter()
            .fold(none, |all, id| all.create(*id, [UnrelatedEvent]))
    };
    let mut are_listed = false;
    for ids in ids.chunks(500) {
        match append_across(store, unrelated(ids)).await {
            Err(AppendError::Invalid(InvalidAppend::OtherEvents { .. })) => {
                let none = Appends::new();
                let own = ids.iter().fold(none, |all, id| all.create(*id, [added(1)]));
                append_across(store, own).await.expect("the logs are new");
                are_listed = true;
            }
            states => drop(states.expect("the logs are new")),
        }
    }
    let last = create(store, LogId::new(), 1).await;
    let page = list(store, ListOrder::Id, None, usize::MAX).await;
    assert_eq!(page.looked_at, ids.len());
    let listed = if are_listed { ids.len() } else { 0 };
    assert_eq!(page.logs.len(), listed);
    assert!(page.next.is_some(), "there is another log");
    let logs = rest(store, ListOrder::Id, page.next, usize::MAX).await;
    assert_eq!(positions(&logs, &[last]), [last]);
}

/// A page in the order of the newest changes ends after a fixed number of events, of whatever log. It says so with a cursor,
/// even if it has no log.
pub async fn a_page_by_newest_change_looks_at_a_fixed_number_of_events(store: &impl Store) {
    let oldest = log_of(store, 1).await;
    let mut busy = log_of(store, 1).await;
    let events = vec![added(1); 1_000];
    for _ in 0..2 * ListRequest::MOST_CHANGES / events.len() {
        let request = AppendRequest::after(busy, &events);
        busy = store.append(request).await.expect("it is current").state;
    }
    let first = list(store, ListOrder::NewestChange, None, 10).await;
    assert_eq!(first.looked_at, ListRequest::MOST_CHANGES);
    assert_eq!(positions(&first.logs, &[busy, oldest]), [busy]);
    let second = list(store, ListOrder::NewestChange, first.next.as_ref(), 10).await;
    assert_eq!(second.looked_at, ListRequest::MOST_CHANGES);
    assert_eq!(second.logs, []);
    assert!(second.next.is_some(), "there is another log");
    let logs = rest(store, ListOrder::NewestChange, second.next, 10).await;
    assert_eq!(positions(&logs, &[busy, oldest]), [oldest]);
}
