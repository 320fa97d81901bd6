//! Large events: the bytes that reading them moves, and what it leaves on the server.

use super::TestStore;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, LogManager, LogManagerOptions,
    LogState, MemoryAggregationCache, Metadata, PointInTime, PostgresEventStore, PostgresOptions,
};
use futures_util::StreamExt;
use sqlx::{ConnectOptions, Row};
use std::time::Duration;
use uuid::Uuid;

const MEBIBYTE: usize = 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Event)]
enum Document {
    #[event(name = "document.saved")]
    Saved { text: String },
}

/// Adds up the events, so an event that is read twice shows.
#[derive(Debug, Clone, Default)]
struct Library {
    bytes: usize,
}

impl Aggregate for Library {
    type Event = Document;

    fn apply(&mut self, record: &impl EventRecord<Document>) {
        let Document::Saved { text } = record.event();
        self.bytes += text.len();
    }
}

fn saved(bytes: usize) -> Document {
    // Random text does not compress well; the server would store compressible text in the row.
    let text = random_text(bytes);
    Document::Saved { text }
}

fn random_text(bytes: usize) -> String {
    let text = || Uuid::now_v7().simple().to_string();
    let mut all: String = std::iter::repeat_with(text).take(bytes / 32 + 1).collect();
    all.truncate(bytes);
    all
}

fn library(store: PostgresEventStore) -> LogManager<Library> {
    let cache = MemoryAggregationCache::default();
    LogManager::new(store, cache, LogManagerOptions::default())
}

/// Creates a log of events of one size.
async fn log_of(manager: &LogManager<Library>, events: usize, bytes: usize) -> LogId {
    let log_id = LogId::new();
    let event = saved(bytes);
    let mut state = manager
        .create(&log_id, &event, &CreateOptions::default())
        .await
        .unwrap();
    let at_once = (8 * MEBIBYTE / bytes).clamp(1, 500);
    let mut left = events - 1;
    while left > 0 {
        let batch = vec![event.clone(); at_once.min(left)];
        state = manager
            .append_all(state, &batch, &AppendOptions::default())
            .await
            .unwrap();
        left -= batch.len();
    }
    log_id
}

#[tokio::test]
async fn reading_a_log_moves_each_event_once() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, through) = store.through_proxy(Duration::from_mins(1)).await;
    let (writer, reader) = (library(store.store.clone()), library(through));
    for (events, bytes) in [
        (40, MEBIBYTE),
        (400, 20 * 1024),
        (9_000, 1024),
        (3, 6 * MEBIBYTE),
    ] {
        let log_id = log_of(&writer, events, bytes).await;
        let before = proxy.answered_bytes();
        let records = reader.load(&log_id, 0, usize::MAX).await.unwrap();
        assert_eq!(records.len(), events, "{events} of {bytes}");
        let loaded = proxy.answered_bytes() - before;
        let reduced = reader.reduce(&log_id).await.unwrap();
        assert_eq!(reduced.aggregate().bytes, events * bytes);
        let folded = proxy.answered_bytes() - before - loaded;
        let all = u64::try_from(events * bytes).unwrap();
        for (moved, what) in [(loaded, "load"), (folded, "reduce")] {
            assert!(
                moved < all + all / 3,
                "{what}: {moved} bytes for {events} events of {bytes} bytes"
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_left_running_by_who_reads_the_first_of_large_events() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let application = format!("large {}", Uuid::now_v7().simple());
    let connect = store.connect.clone().application_name(&application);
    let options = PostgresOptions {
        max_connections: 2,
        ..store.options.clone()
    };
    let reader = PostgresEventStore::connect_with(connect, options)
        .await
        .unwrap();
    let manager = library(reader);
    let log_id = log_of(&manager, 30, MEBIBYTE).await;
    let mut stream = Box::pin(manager.stream(log_id, 0));
    stream.next().await.unwrap().unwrap();
    drop(stream);
    manager
        .reduce_at(&log_id, PointInTime::Index(4))
        .await
        .unwrap();
    manager.load(&log_id, 2, 3).await.unwrap();
    // One event in between is unreadable.
    let broken = "update events set payload = '{' where event_index = 5";
    store.execute(broken).await;
    manager.load(&log_id, 2, 20).await.unwrap_err();
    // The read is cancelled in the middle.
    let _ = tokio::time::timeout(Duration::from_millis(5), manager.load(&log_id, 7, 20)).await;

    let mut connection = store.connect.connect().await.unwrap();
    let busy = "select count(*) from pg_stat_activity
                where application_name = $1 and (state <> 'idle' or backend_xmin is not null)";
    for _ in 0..100 {
        let row = sqlx::query(busy).bind(&application);
        let busy: i64 = row.fetch_one(&mut connection).await.unwrap().get(0);
        if busy == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a session still works for a cancelled read");
}

#[tokio::test]
async fn metadata_counts_and_comes_back() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, through) = store.through_proxy(Duration::from_mins(1)).await;
    let manager = library(through);
    let note = random_text(7_000);
    let options = AppendOptions {
        metadata: Metadata::new().with("note", note.as_str()),
        ..Default::default()
    };
    let log_id = log_of(&manager, 1, 10).await;
    let mut state = LogState::at(log_id, 0);
    for _ in 0..4 {
        let batch = vec![saved(10); 250];
        state = manager.append_all(state, &batch, &options).await.unwrap();
    }
    let before = proxy.answered_bytes();
    let records = manager.load(&log_id, 1, usize::MAX).await.unwrap();
    assert_eq!(records.len(), 1_000);
    for record in &records {
        let noted = record
            .metadata()
            .get("note")
            .and_then(|note| note.as_text());
        assert!(noted == Some(&note), "event {}", record.index());
    }
    let moved = proxy.answered_bytes() - before;
    assert!(moved < 9_500_000, "{moved} bytes for 7,000,000");
}
