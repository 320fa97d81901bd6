//! Servers that follow another one, and take over from it.

use super::{ADDED, Site, append, connect, counters, create, ends, names, now, until};
use crate::proxy::Proxy;
use crate::servers::PrivatePostgres;
use eventlogs::feed::{FeedRequest, Wanted};
use eventlogs::{AppendOptions, Cursor, EventFeed, FeedError, PostgresEventStore};
use sqlx::{Connection, Executor, Row};
use std::time::Duration;

/// A server and one that follows it.
struct Pair {
    site: Site,
    standby: PrivatePostgres,
    /// The store on the server that follows.
    following: PostgresEventStore,
}

impl Pair {
    async fn open() -> Option<Self> {
        let site = Site::open().await?;
        let standby = site.server.standby().await;
        let following = PostgresEventStore::connect(&standby.url()).await.unwrap();
        Some(Self {
            site,
            standby,
            following,
        })
    }

    /// Lets the server that follows stand still, or go on.
    async fn lag(&self, lags: bool) {
        let sql = if lags {
            "select pg_wal_replay_pause()"
        } else {
            "select pg_wal_replay_resume()"
        };
        let mut connection = connect(&self.standby.url()).await;
        connection.execute(sql).await.unwrap();
        let state = "select pg_get_wal_replay_pause_state() = 'paused'";
        loop {
            let row = sqlx::query(state).fetch_one(&mut connection).await;
            if !lags || row.unwrap().get(0) {
                return;
            }
            // It pauses only at the next record.
            let _ = create(&self.site.counters).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the connection between the servers.
    async fn cut_off(&self) {
        let mut connection = connect(&self.standby.url()).await;
        let elsewhere = "alter system set primary_conninfo = 'port=1'";
        connection.execute(elsewhere).await.unwrap();
        connection.execute("select pg_reload_conf()").await.unwrap();
        loop {
            let receivers = "select from pg_stat_wal_receiver where status = 'streaming'";
            if connection.fetch_all(receivers).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn promote(&self) {
        let mut connection = connect(&self.standby.url()).await;
        connection.execute("select pg_promote()").await.unwrap();
    }
}

fn at(server: &PrivatePostgres) -> (String, u16) {
    ("127.0.0.1".to_owned(), server.port())
}

#[tokio::test]
async fn a_server_that_follows_has_the_feed() {
    let Some(pair) = Pair::open().await else {
        return;
    };
    let site = &pair.site;
    let mut feed = pair.following.feed(Cursor::START);
    let logs = site.create(3).await;
    assert_eq!(names(&until(&mut feed, 3).await), ends(&logs));
    // A transaction holds it there, too.
    let mut connection = site.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    let options = AppendOptions::default();
    let held = site
        .store
        .append_in(&mut transaction, logs[0], &[ADDED], &options);
    let held = held.await.unwrap();
    let later = site.append(logs[1]).await;
    // It has arrived, because it can be read.
    let there = counters(&pair.following);
    while there
        .load(&logs[1].log_id(), 1, 1)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(now(&mut feed).await.is_empty());
    assert!(pair.following.head().await.unwrap().is_held());
    transaction.commit().await.unwrap();
    assert_eq!(names(&until(&mut feed, 2).await), ends(&[held, later]));
}

#[tokio::test]
async fn a_cursor_ahead_of_a_server_that_lags_has_no_events_yet() {
    let Some(pair) = Pair::open().await else {
        return;
    };
    let site = &pair.site;
    let state = site.create(1).await[0];
    // One feed comes from the other server while it is open.
    let proxy = Proxy::in_front_of(at(&site.server)).await;
    let url = format!("postgres://postgres@{}/postgres", proxy.address);
    let either = PostgresEventStore::connect(&url).await.unwrap();
    let mut open = either.feed(Cursor::START);
    until(&mut open, 1).await;
    until(&mut pair.following.feed(Cursor::START), 1).await;
    pair.lag(true).await;
    let state = site.append(state).await;
    let count = now(&mut open).await;
    let mut resumed = pair.following.feed(count.last().unwrap().cursor);
    // The connections to the first server break.
    proxy.lead_to(at(&pair.standby));
    proxy.lose_next_answer();
    for feed in [&mut open, &mut resumed] {
        for _ in 0..3 {
            assert!(feed.next_page().await.unwrap().is_none());
        }
        let waiting = tokio::time::timeout(Duration::from_millis(200), feed.wait()).await;
        assert!(waiting.is_err(), "{waiting:?}");
    }
    pair.lag(false).await;
    let state = site.append(state).await;
    let other = create(&site.counters).await;
    for feed in [&mut open, &mut resumed] {
        assert_eq!(names(&until(feed, 2).await), ends(&[state, other]));
    }
}

/// What is final on one server may not have arrived on another one.
#[tokio::test]
async fn a_page_is_not_read_up_to_the_end_of_another_server() {
    let Some(pair) = Pair::open().await else {
        return;
    };
    pair.site.create(3).await;
    let mut feed = pair.following.feed(Cursor::START);
    let events = until(&mut feed, 3).await;
    let (ours, theirs) = (
        pair.site.store.head().await.unwrap(),
        pair.following.head().await.unwrap(),
    );
    assert_eq!(ours.readable, theirs.readable);
    // Another one that follows the same server.
    let mut another = theirs;
    another.history.started += 1;
    let wanted = Wanted::all();
    for after in [Cursor::START, events[0].cursor, events[2].cursor] {
        for (store, head, is_same) in [
            (&pair.site.store, ours, true),
            (&pair.site.store, theirs, false),
            (&pair.following, theirs, true),
            (&pair.following, ours, false),
            (&pair.following, another, false),
        ] {
            for sparse in [false, true] {
                let mut request = FeedRequest::new(after, head, 10, &wanted);
                request.sparse = sparse;
                let page = store.read_feed(request).await.unwrap();
                if is_same {
                    assert_eq!(page.cursor, events[2].cursor, "{after} {head:?}");
                } else {
                    assert_eq!(page.cursor, after, "{head:?}");
                    assert!(page.events.is_empty() && page.more, "{head:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_feed_goes_on_when_its_server_is_promoted() {
    let Some(pair) = Pair::open().await else {
        return;
    };
    let mut states = pair.site.create(5).await;
    let mut feed = pair.following.feed(Cursor::START).with_page_size(2);
    let mut events = until(&mut feed, 5).await;
    for number in 0..3 {
        states.push(pair.site.append(states[number]).await);
    }
    // In the middle of a page, and of what was looked up.
    while events.len() < 6 {
        feed.wait().await.unwrap();
        events.extend(feed.next_page().await.unwrap().unwrap().events);
    }
    let there = counters(&pair.following);
    while there
        .load(&states[7].log_id(), 1, 1)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pair.promote().await;
    let mut later = Vec::new();
    for _ in 0..3 {
        later.push(create(&there).await);
    }
    events.extend(until(&mut feed, 11 - events.len()).await);
    assert_eq!(names(&events[8..]), ends(&later));
    let mut fresh = pair.following.feed(Cursor::START);
    assert_eq!(names(&until(&mut fresh, 11).await), names(&events));
    assert!(pair.following.head().await.unwrap().history.timeline > 1);
}

/// The server that takes over lacks the last events, which were delivered.
#[tokio::test]
async fn events_that_are_lost_in_a_fail_over_are_noticed() {
    let Some(pair) = Pair::open().await else {
        return;
    };
    let site = &pair.site;
    let proxy = Proxy::in_front_of(at(&site.server)).await;
    let url = format!("postgres://postgres@{}/postgres", proxy.address);
    let either = PostgresEventStore::connect(&url).await.unwrap();
    let logs = site.create(2).await;
    let mut behind = either.feed(Cursor::START);
    until(&mut behind, 2).await;
    until(&mut pair.following.feed(Cursor::START), 2).await;
    let mut open = either.feed(Cursor::START);
    until(&mut open, 2).await;
    let there = counters(&pair.following);
    pair.cut_off().await;
    let lost = site.append(logs[0]).await;
    let delivered = until(&mut open, 1).await;
    assert_eq!(names(&delivered), ends(&[lost]));
    // The connections to the first server break.
    proxy.lead_to(at(&pair.standby));
    proxy.lose_next_answer();
    pair.lag(false).await;
    pair.promote().await;
    assert!(there.load(&lost.log_id(), 1, 1).await.unwrap().is_empty());
    for _ in 0..2 {
        let rewound = open.next_page().await;
        assert!(
            matches!(rewound, Err(FeedError::FeedRewound { cursor }) if cursor == delivered[0].cursor),
            "{rewound:?}"
        );
    }
    // Another event takes its place.
    append(&there, logs[0]).await;
    let rewound = open.next_page().await;
    assert!(
        matches!(rewound, Err(FeedError::FeedRewound { .. })),
        "{rewound:?}"
    );
    let rewound = pair.following.feed(delivered[0].cursor).next_page().await;
    assert!(
        matches!(rewound, Err(FeedError::FeedRewound { .. })),
        "{rewound:?}"
    );
    // A reader that had not come so far goes on.
    assert_eq!(names(&until(&mut behind, 1).await), ends(&[lost]));
}
