//! Copies of a database that is in use.

use super::program::elsewhere;
use super::{TemporaryStore, connect};
use crate::payments::{Payment, PaymentEvent, payments};
use eventlogs::BackupError;
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{AppendOptions, CreateOptions, LogManager, SqliteEventStore};
use sqlx::Row;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

async fn create(payments: &LogManager<Payment>) -> LogId {
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 5 };
    payments
        .create(&log_id, &requested, &CreateOptions::default())
        .await
        .unwrap();
    log_id
}

fn files(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn epoch_and_last_position(path: &Path) -> (i64, i64) {
    let sql =
        "select (select epoch from meta), (select seq from sqlite_sequence where name = 'events')";
    let row = sqlx::query(sql)
        .fetch_one(&mut connect(path).await)
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_copy_beside_writers_has_what_was_acknowledged_before() {
    let file = TemporaryStore::open().await;
    let original = payments(file.store.clone());
    let mut before = Vec::new();
    for _ in 0..50 {
        before.push(create(&original).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (original, stop) = (original.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    create(&original).await;
                }
            })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let mut told = Vec::new();
    file.store
        .backup_with(&path, |progress| told.push(progress))
        .await
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(files(folder.path()), ["copy.db"]);
    let last = told.last().unwrap();
    assert_eq!(last.bytes, last.total_bytes);
    assert_eq!(last.bytes, path.metadata().unwrap().len());
    assert!(
        told.is_sorted_by_key(|progress| progress.bytes) && told.len() >= 2,
        "{told:?}"
    );

    let store = SqliteEventStore::open(&path).await.unwrap();
    let copy = payments(store.clone());
    for log_id in &before {
        let payment = copy.reduce(log_id).await.unwrap();
        copy.append(payment, &PaymentEvent::Voided, &AppendOptions::default())
            .await
            .unwrap();
    }
    store.close().await;
    file.store.close().await;
    let (old, new) = (
        epoch_and_last_position(&file.path()).await,
        epoch_and_last_position(&path).await,
    );
    assert_eq!(old.0 + 1, new.0, "a copy begins a new epoch");
    let epochs = "select count(*) from events where epoch = 2";
    let row = sqlx::query(epochs)
        .fetch_one(&mut connect(&path).await)
        .await;
    assert_eq!(row.unwrap().get::<i64, _>(0), 50);
}

#[tokio::test]
async fn a_store_in_memory_can_be_copied_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteEventStore::in_memory().await.unwrap();
    let original = payments(store.clone());
    let log_id = create(&original).await;
    let path = folder.path().join("copy.db");
    store.backup(&path).await.unwrap();
    create(&original).await;
    let copy = payments(SqliteEventStore::open(&path).await.unwrap());
    assert_eq!(copy.reduce(&log_id).await.unwrap().aggregate().requested, 5);
    assert_eq!(elsewhere("count", &path), "1");
}

#[tokio::test]
async fn a_copy_overwrites_nothing() {
    let file = TemporaryStore::open().await;
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("copy.db");
    std::fs::write(&taken, "something").unwrap();
    let orphan = folder.path().join("other.db");
    std::fs::write(
        folder.path().join("other.db-wal"),
        "the log of another file",
    )
    .unwrap();
    for path in [&taken, &orphan, &file.path()] {
        let error = file.store.backup(path).await.unwrap_err();
        assert!(matches!(error, BackupError::FileExists { .. }), "{error:?}");
    }
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "something");
    let missing = folder.path().join("missing/copy.db");
    let error = file.store.backup(missing).await.unwrap_err();
    assert!(
        matches!(error, BackupError::CannotWrite { .. }),
        "{error:?}"
    );
    assert_eq!(files(folder.path()), ["copy.db", "other.db-wal"]);
}

/// Fills a store with some megabytes of events.
async fn fill(store: &SqliteEventStore) {
    let payments = payments(store.clone());
    for _ in 0..20 {
        let log_id = create(&payments).await;
        let state = payments.reduce(&log_id).await.unwrap().state();
        let events = vec![PaymentEvent::Captured { amount: u64::MAX }; 999];
        payments
            .append_all(state, &events, &AppendOptions::default())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_copy_that_is_given_up_leaves_no_file_and_a_store_that_works() {
    let file = TemporaryStore::open().await;
    let in_memory = SqliteEventStore::in_memory().await.unwrap();
    for store in [&file.store, &in_memory] {
        fill(store).await;
        let folder = tempfile::tempdir().unwrap();
        for micros in [0, 100, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000] {
            let path = folder.path().join(format!("copy {micros}.db"));
            let time = Duration::from_micros(micros);
            let done = tokio::time::timeout(time, store.backup(&path))
                .await
                .is_ok();
            create(&payments(store.clone())).await;
            let deadline = std::time::Instant::now() + Duration::from_secs(10);
            loop {
                let left = files(folder.path());
                let half_files = left.iter().any(|name| name.ends_with(".partial"));
                if !half_files || std::time::Instant::now() > deadline {
                    assert!(!half_files, "{left:?}");
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if done {
                assert_ne!(elsewhere("count", &path), "0");
            } else if path.exists() {
                // Cancelled at the very end: the copy is whole.
                assert_ne!(elsewhere("count", &path), "0");
            }
        }
    }
}

#[tokio::test]
async fn a_copy_of_a_replaced_file_is_refused() {
    let file = TemporaryStore::open().await;
    create(&payments(file.store.clone())).await;
    std::fs::remove_file(file.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = file.store.backup(folder.path().join("copy.db")).await;
    assert!(
        matches!(
            error,
            Err(BackupError::Store(StoreError::FileReplaced { .. }))
        ),
        "{error:?}"
    );
    assert!(files(folder.path()).is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_readable_by_those_who_may_read_the_original() {
    use std::os::unix::fs::PermissionsExt;
    let file = TemporaryStore::open().await;
    std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o600)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    file.store.backup(&path).await.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_copy_of_a_large_database_tells_how_far_it_is() {
    let file = TemporaryStore::open().await;
    for _ in 0..3 {
        fill(&file.store).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let path = folder.path().join("copy.db");
    file.store
        .backup_with(&path, |progress| told.push(progress))
        .await
        .unwrap();
    assert!(
        told.iter()
            .all(|progress| progress.bytes <= progress.total_bytes),
        "{told:?}"
    );
    assert!(told[0].total_bytes >= 1 << 20, "{told:?}");
    assert_eq!(elsewhere("count", &path), "60000");
}
