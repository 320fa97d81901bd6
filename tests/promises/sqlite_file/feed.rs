//! The feed of a file: what other processes write, copies, and what is undone.

use super::program::elsewhere;
use super::{TemporaryStore, connect};
use crate::payments::{Payment, PaymentEvent, payments};
use eventlogs::feed::Feed;
use eventlogs::ids::LogId;
use eventlogs::{
    AppendOptions, CreateOptions, Cursor, EventFeed, FeedError, FeedEvent, LogManager, LogState,
    SqliteEventStore,
};
use sqlx::{Connection, Executor};
use std::time::Duration;

async fn create(payments: &LogManager<Payment>) -> LogState<PaymentEvent> {
    let (log_id, options) = (LogId::new(), CreateOptions::default());
    let requested = PaymentEvent::Requested { amount: 5 };
    payments
        .create(&log_id, &requested, &options)
        .await
        .unwrap()
}

/// Reads all that the feed has now.
async fn now(feed: &mut Feed<SqliteEventStore>) -> Vec<FeedEvent> {
    let mut events = Vec::new();
    while let Some(page) = feed.next_page().await.unwrap() {
        events.extend(page.events);
    }
    events
}

async fn wait(feed: &mut Feed<SqliteEventStore>) {
    let waited = tokio::time::timeout(Duration::from_secs(10), feed.wait()).await;
    waited.expect("there are events").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_store_or_process_writes_ends_the_wait() {
    let file = TemporaryStore::open().await;
    let mut feed = file.store.feed(Cursor::START);
    assert!(now(&mut feed).await.is_empty());
    let another = payments(SqliteEventStore::open(file.path()).await.unwrap());
    let (state, ()) = tokio::join!(create(&another), wait(&mut feed));
    let events = now(&mut feed).await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].log_id, events[0].index), (state.log_id(), 0));

    let path = file.path();
    let process = tokio::task::spawn_blocking(move || elsewhere("write", &path));
    wait(&mut feed).await;
    assert_eq!(process.await.unwrap(), "written");
    let events = now(&mut feed).await;
    assert_eq!(events.len(), 1);
    assert_eq!(&*events[0].event_type, "payment.voided");
}

/// A file that was restored from a copy does not have the events that were written after the copy.
#[tokio::test]
async fn a_cursor_behind_the_end_of_a_restored_copy_is_refused() {
    let file = TemporaryStore::open().await;
    let original = payments(file.store.clone());
    let mut open = file.store.feed(Cursor::START);
    create(&original).await;
    create(&original).await;
    let kept = now(&mut open).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    file.store.backup(&path).await.unwrap();
    create(&original).await;
    create(&original).await;
    let lost = now(&mut open).await;
    assert_eq!((kept.len(), lost.len()), (2, 2));

    let copy = SqliteEventStore::open(&path).await.unwrap();
    let payments = payments(copy.clone());
    for appended in 0..4 {
        for event in &lost {
            let rewound = copy.feed(event.cursor).next_page().await;
            assert!(
                matches!(rewound, Err(FeedError::FeedRewound { cursor }) if cursor == event.cursor),
                "after {appended}: {rewound:?}"
            );
        }
        if appended == 0 {
            let mut ahead = copy.feed(lost[1].cursor);
            let waited = tokio::time::timeout(Duration::from_secs(5), ahead.wait()).await;
            assert!(
                matches!(waited, Ok(Err(FeedError::FeedRewound { .. }))),
                "{waited:?}"
            );
        }
        // A cursor that the copy has is read on.
        let mut feed = copy.feed(kept[1].cursor);
        assert_eq!(now(&mut feed).await.len(), appended);
        create(&payments).await;
    }
}

/// The file itself is replaced by a copy while the store is closed.
#[tokio::test]
async fn a_file_that_was_replaced_by_its_copy_is_noticed() {
    let file = TemporaryStore::open().await;
    create(&payments(file.store.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    file.store.backup(&path).await.unwrap();
    create(&payments(file.store.clone())).await;
    let events = now(&mut file.store.feed(Cursor::START)).await;
    file.store.close().await;
    std::fs::copy(&path, file.path()).unwrap();
    let restored = SqliteEventStore::open(file.path()).await.unwrap();
    let rewound = restored.feed(events[1].cursor).next_page().await;
    assert!(
        matches!(rewound, Err(FeedError::FeedRewound { .. })),
        "{rewound:?}"
    );
    assert!(now(&mut restored.feed(events[0].cursor)).await.is_empty());
}

/// What another program rolls back, and what is refused, leaves no place empty.
#[tokio::test]
async fn what_is_rolled_back_leaves_no_hole() {
    let file = TemporaryStore::open().await;
    let manager = payments(file.store.clone());
    let mut state = create(&manager).await;
    let mut feed = file.store.feed(Cursor::START);
    let mut events = now(&mut feed).await;
    let mut program = connect(&file.path()).await;
    for round in 0..3 {
        let mut transaction = program.begin().await.unwrap();
        let write = "insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, \
                                         kind, epoch, tx)
                     select randomblob(16), 0, event_id, event_type, event_version, codec, payload, recorded_at, kind, epoch, \
                            tx + 1 from events where position = 1";
        transaction.execute(write).await.unwrap();
        assert!(now(&mut feed).await.is_empty(), "it is not committed");
        transaction.rollback().await.unwrap();
        let none = AppendOptions::default();
        let wrong = LogState::at(state.log_id(), 77);
        let refused = manager.append(wrong, &PaymentEvent::Voided, &none).await;
        assert!(refused.is_err(), "{refused:?}");
        state = manager
            .append(state, &PaymentEvent::Voided, &none)
            .await
            .unwrap();
        let new = now(&mut feed).await;
        assert_eq!(new.len(), 1, "round {round}");
        assert_eq!(new[0].index, state.index());
        events.extend(new);
    }
    let from_start = now(&mut file.store.feed(Cursor::START)).await;
    let names = |events: &[FeedEvent]| -> Vec<_> {
        let name = |event: &FeedEvent| (event.log_id, event.index, event.cursor);
        events.iter().map(name).collect()
    };
    assert_eq!(names(&from_start), names(&events));
}
