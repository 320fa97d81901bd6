//! Writes events into a database of `git_history` that do not come from git.

use eventlogs::ids::LogId;
use eventlogs::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use eventlogs::sqlx::{Connection, query};
use eventlogs::{
    Aggregate, AppendOptions, Event, EventRecord, LogManager, LogManagerOptions, LogState,
    MemoryAggregationCache, SqliteEventStore,
};
use serde_json::{Value, json};
use std::path::Path;

/// Two of the example's events. Only the stored name and fields must be the same.
#[derive(Debug, Clone, Event)]
enum FileEvent {
    /// A file was deleted.
    #[event(name = "file.deleted")]
    Deleted { edit: Value },
    /// A file was moved.
    #[event(name = "file.renamed")]
    Renamed {
        path: String,
        content: Value,
        edit: Value,
    },
}

/// An aggregate without state, because nothing is reduced here.
#[derive(Debug, Clone, Default)]
struct Nothing;

impl Aggregate for Nothing {
    type Event = FileEvent;

    fn apply(&mut self, _event_record: &impl EventRecord<FileEvent>) {}
}

/// Deletes the file that was added at a path with a commit.
pub(crate) fn delete_in_the_log(database: &Path, path: &str, birth: &str) {
    append(
        database,
        path,
        birth,
        &FileEvent::Deleted { edit: edit(birth) },
    );
}

/// Moves the file that was added at a path with a commit.
pub(crate) fn move_in_the_log(database: &Path, path: &str, birth: &str, to: &str) {
    let content = json!({ "kind": "regular", "object": birth });
    append(
        database,
        path,
        birth,
        &FileEvent::Renamed {
            path: to.to_owned(),
            content,
            edit: edit(birth),
        },
    );
}

/// Counts an event too many in the table of the projection.
pub(crate) fn miscount_in_the_table(database: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(database);
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .expect("the database opens");
        let changed = query("update file_lives set events = events + 1")
            .execute(&mut connection)
            .await
            .expect("the table is changed");
        assert_eq!(changed.rows_affected(), 1);
        connection.close().await.expect("the database is closed");
    });
}

/// Makes a change with an invented author.
fn edit(commit: &str) -> Value {
    json!({ "author": "Nobody <>", "commit": commit, "number": 1_000_000, "lines": null })
}

/// Appends an event to a log that has one.
fn append(database: &Path, path: &str, birth: &str, event: &FileEvent) {
    let log_id = LogId::derived("git file life", format!("{path}\0{birth}"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = SqliteEventStore::open(database)
            .await
            .expect("the database opens");
        let cache = MemoryAggregationCache::<Nothing>::default();
        let logs = LogManager::new(store.clone(), cache, LogManagerOptions::default());
        let first = LogState::at(log_id, 0);
        logs.append(first, event, &AppendOptions::default())
            .await
            .expect("the event is appended");
        store.close().await;
    });
}
