//! The embedded store on a disk, with settings under which a power cut loses nothing.

use crate::appends::Ours;
use crate::by_hand::Log;
use crate::common::closed_loop::Writer;
use crate::common::contest::{compare, side};
use crate::common::payments::{CAPTURED, Capture};
use crate::common::process;
use crate::common::report::{Report, Row};
use eventlogs::{LogManager, LogManagerOptions, MemoryAggregationCache, SqliteEventStore};
use futures_util::future::join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use uuid::Uuid;

const ROW: &str = "sqlite: append, 64 writers";
const WRITERS: usize = 64;

/// Measures the only row of this file.
pub(crate) async fn measure(report: &mut Report) {
    if !report.arguments.wants(ROW) {
        return;
    }
    // Cargo's folder for such files. The system's folder may be in memory, where no write waits for a disk.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if process::is_in_memory(folder) {
        println!("left out: {ROW}: {} is in memory", folder.display());
        return;
    }
    let folder = tempfile::tempdir_in(folder).expect("the folder exists");
    let file = folder.path().join("writes.db");
    let store = SqliteEventStore::open(&file)
        .await
        .expect("a new file can be opened");
    let payments = LogManager::new(
        store.clone(),
        MemoryAggregationCache::default(),
        LogManagerOptions::default(),
    );
    // The same file for both sides, so that its size is the same, too.
    let connection = Arc::new(Mutex::new(connect(&file).await));
    let sides = [
        side(async || join_all((0..WRITERS).map(|_| Ours::new(payments.clone()))).await),
        side(async || {
            let writer = |_| ByHand {
                connection: Arc::clone(&connection),
                log: Log::new(),
            };
            (0..WRITERS).map(writer).collect()
        }),
    ];
    let [ours, by_hand] = compare(report.arguments.throughput(), sides).await;
    store.close().await;
    report.row(&Row::rates(ROW, &ours, &by_hand, Some(8.0)));
}

async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .expect("the file was just created")
}

/// One transaction per event, on one connection that all tasks share.
struct ByHand {
    connection: Arc<Mutex<SqliteConnection>>,
    log: Log,
}

impl Writer for ByHand {
    async fn write(&mut self) -> u32 {
        // One call, since three calls would need three round trips to the thread that runs SQLite.
        const INSERT: &str = "
            begin immediate;
            insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at,
                                epoch, tx, kind)
            values (?, ?, ?, ?, 1, 1, ?, ?, 1, 1, -1281220239);
            commit";
        let capture = Capture::of(self.log.next.unsigned_abs());
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("the clock is past 1970").as_micros();
        let event_id = Uuid::now_v7();
        let insert = sqlx::query(INSERT)
            .bind(&self.log.id.as_bytes()[..])
            .bind(self.log.next)
            .bind(&event_id.as_bytes()[..])
            .bind(CAPTURED)
            .bind(capture.to_json())
            .bind(i64::try_from(now).expect("the clock is before the year 200,000"));
        let mut connection = self.connection.lock().await;
        insert
            .execute(&mut *connection)
            .await
            .expect("no other writer uses this log");
        self.log.next += 1;
        1
    }
}
