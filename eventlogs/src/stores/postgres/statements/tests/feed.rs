//! Executes the statements of the feed as the store binds them.

use super::checkpoints::execute;
use crate::cursor::Cursor;
use crate::feed::head::FeedHead;
use crate::feed::page::FeedRequest;
use crate::feed::wanted::Wanted;
use crate::ids::LogId;
use crate::stores::postgres::statements::Statements;
use sqlx::postgres::PgConnection;
use std::collections::BTreeMap;

/// Executes all of them, about a log of three events. Returns the numbers of parameters, by file name.
pub(super) async fn execute_all(
    connection: &mut PgConnection,
    statements: &Statements,
    log_id: LogId,
) -> BTreeMap<&'static str, usize> {
    let feed = &statements.feed;
    let events = [(log_id, 0), (log_id, 2)];
    let wanted = Wanted::all();
    let request = FeedRequest::new(Cursor::START, at_end(), 3, &wanted);
    let sparse = FeedRequest {
        sparse: true,
        ..request
    };
    // With the number of rows that each must return. The server is not the one of this head, so the pages have none.
    let all = [
        ("feed_head", feed.head(0), 1),
        ("feed_fence", feed.fence(), 1),
        ("feed_hold", feed.hold(1), 0),
        ("feed_gap", feed.gap(log_id, &(1..3)), 2),
        ("feed_of_row", feed.of_row(log_id, 1, 9, "payments"), 2),
        ("feed_place", feed.place(log_id, 1), 1),
        ("feed_contents", feed.contents(&events), 2),
        ("feed_page", feed.page(&request, 3, 100), 0),
        ("feed_sparse_page", feed.page(&sparse, 3, 100), 0),
    ];
    let mut bound = BTreeMap::new();
    for (name, statement, expected) in all {
        let (parameters, rows) = execute(connection, name, statement).await;
        assert_eq!(rows, expected, "{name}");
        bound.insert(name, parameters);
    }
    bound
}

/// Returns a head that no server has, with its fence behind all events.
fn at_end() -> FeedHead {
    let end = Cursor::from_parts(1, i64::MAX.unsigned_abs(), 0, None);
    FeedHead::new(end, None, None)
}
