//! Files that are deleted, moved or replaced while a store has them open.

use super::program::elsewhere;
use super::{TemporaryStore, connect};
use crate::payments::{Payment, PaymentEvent, payments};
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{CreateOptions, LogManager, LogManagerError, SqliteEventStore};
use sqlx::Connection;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

async fn create(payments: &LogManager<Payment>) -> Result<LogId, LogManagerError> {
    let log_id = LogId::new();
    let requested = PaymentEvent::Requested { amount: 5 };
    payments
        .create(&log_id, &requested, &CreateOptions::default())
        .await
        .map(|_| log_id)
}

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// The possible accidents with the file of a running program.
const ACCIDENTS: [&str; 9] = [
    "deleted",
    "deleted with its log",
    "renamed",
    "replaced by a rename",
    "deleted and copied",
    "replaced by one that has its log",
    "its folder removed",
    "its folder renamed",
    "truncated by a new file",
];

fn happen(accident: &str, path: &Path, backup: &Path) {
    let folder = path.parent().unwrap();
    match accident {
        "deleted" => fs::remove_file(path).unwrap(),
        "deleted with its log" => {
            for suffix in ["", "-wal", "-shm"] {
                fs::remove_file(beside(path, suffix)).unwrap();
            }
        }
        "renamed" => fs::rename(path, beside(path, ".old")).unwrap(),
        "replaced by a rename" => {
            fs::copy(backup, beside(path, ".new")).unwrap();
            fs::rename(beside(path, ".new"), path).unwrap();
        }
        "deleted and copied" => {
            fs::remove_file(path).unwrap();
            fs::copy(backup, path).unwrap();
        }
        "replaced by one that has its log" => {
            happen("deleted with its log", path, backup);
            fs::copy(backup, path).unwrap();
            assert_eq!(elsewhere("count", path), "1");
        }
        "its folder removed" => fs::remove_dir_all(folder).unwrap(),
        "its folder renamed" => fs::rename(folder, folder.with_file_name("elsewhere")).unwrap(),
        "truncated by a new file" => {
            fs::remove_file(path).unwrap();
            fs::File::create(path).unwrap();
        }
        _ => panic!("{accident}"),
    }
}

fn is_replaced(error: &StoreError) -> bool {
    matches!(error, StoreError::FileReplaced { .. }) && error.to_string().contains("events.db")
}

#[tokio::test]
async fn a_file_that_is_not_at_its_path_any_more_is_neither_written_nor_read() {
    for accident in ACCIDENTS {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let (path, backup) = (
            folder.path().join("data/events.db"),
            folder.path().join("backup.db"),
        );
        let payments_of = |store: &SqliteEventStore| payments(store.clone());
        let store = SqliteEventStore::open(&backup).await.unwrap();
        create(&payments_of(&store)).await.unwrap();
        store.close().await;

        let store = SqliteEventStore::open(&path).await.unwrap();
        let payments = payments_of(&store);
        let known = create(&payments).await.unwrap();
        payments.flush_cache().await;
        happen(accident, &path, &backup);
        for _ in 0..2 {
            match create(&payments).await {
                Err(LogManagerError::Store(error)) if is_replaced(&error) => {}
                other => panic!("{accident}: {other:?}"),
            }
            match payments.load(&known, 0, 1).await {
                Err(LogManagerError::Store(error)) if is_replaced(&error) => {}
                other => panic!("{accident}: {other:?}"),
            }
            let migrated = store.migrate().await;
            assert!(is_replaced(&migrated.unwrap_err()), "{accident}");
            let pruned = store.prune_idempotency_keys(Duration::ZERO).await;
            assert!(is_replaced(&pruned.unwrap_err()), "{accident}");
        }
        let both = futures_util::future::join_all((0..20).map(|_| create(&payments))).await;
        assert!(both.iter().all(Result::is_err), "{accident}");
        let before = fs::read(&path).ok();
        store.close().await;
        assert_eq!(
            fs::read(&path).ok(),
            before,
            "{accident}: closing touches no other file"
        );
    }
}

#[tokio::test]
async fn a_file_that_comes_back_is_written_again() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    create(&payments).await.unwrap();
    fs::rename(file.path(), beside(&file.path(), ".old")).unwrap();
    create(&payments).await.unwrap_err();
    fs::rename(beside(&file.path(), ".old"), file.path()).unwrap();
    create(&payments).await.unwrap();
    file.store.close().await;
    assert_eq!(elsewhere("count", &file.path()), "2");
}

#[tokio::test]
async fn a_replaced_file_is_noticed_after_the_connection_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (
        folder.path().join("events.db"),
        folder.path().join("other.db"),
    );
    SqliteEventStore::open(&other).await.unwrap().close().await;
    let store = SqliteEventStore::open(&path).await.unwrap();
    for _ in 0..20 {
        let _ = tokio::time::timeout(Duration::from_micros(100), store.migrate()).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(&path, suffix));
    }
    fs::copy(&other, &path).unwrap();
    let refused = create(&payments(store.clone())).await;
    assert!(
        matches!(&refused, Err(LogManagerError::Store(error)) if is_replaced(error)),
        "{refused:?}"
    );
}

/// Drops the locks of this process on a file.
fn drop_locks(path: &Path) {
    drop(fs::File::open(path).unwrap());
}

/// Another program opens the file, takes itself for the last one, and removes the log. Returns the number of events it saw.
fn old_program(path: &Path) -> usize {
    drop_locks(path);
    let seen = elsewhere("count and remove the log", path);
    seen.parse().unwrap()
}

#[tokio::test]
async fn a_log_that_another_program_removed_loses_nothing() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let mut acknowledged = vec![create(&payments).await.unwrap()];
    let mut of_others = 0;
    for round in 0..5 {
        // Between the old program's checkpoint and its removal of the log, writes of others may be lost; acknowledged writes of
        // this store may not.
        let all = acknowledged.len()..=acknowledged.len() + of_others;
        let seen = old_program(&file.path());
        assert!(all.contains(&seen), "{seen} of {all:?}");
        if round % 2 == 1 {
            assert_eq!(elsewhere("write", &file.path()), "written");
            of_others += 1;
        }
        for _ in 0..round {
            acknowledged.push(create(&payments).await.unwrap());
        }
        let many = futures_util::future::join_all((0..20).map(|_| create(&payments))).await;
        acknowledged.extend(many.into_iter().map(Result::unwrap));
        let reads = acknowledged
            .iter()
            .map(|log_id| payments.load(log_id, 0, 1));
        let reads = futures_util::future::join_all(reads).await;
        assert!(
            reads
                .iter()
                .all(|events| events.as_ref().is_ok_and(|events| events.len() == 1)),
            "round {round}"
        );
        let all = acknowledged.len()..=acknowledged.len() + of_others;
        let seen = elsewhere("count", &file.path()).parse().unwrap();
        assert!(all.contains(&seen), "{seen} of {all:?}");
    }
}

/// When the removed log is closed, the next file that this process creates may get its inode.
#[tokio::test]
async fn a_new_file_is_not_taken_for_the_removed_log() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    create(&payments).await.unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    let folder = file.path().parent().unwrap().to_owned();
    let files = tokio::task::spawn_blocking(move || {
        let mut files = Vec::new();
        while !seen.load(Ordering::SeqCst) && files.len() < 500 {
            files.push(tempfile::tempfile_in(&folder).unwrap());
            std::thread::sleep(Duration::from_millis(1));
        }
        files
    });
    for _ in 0..3 {
        old_program(&file.path());
        create(&payments).await.unwrap();
    }
    ended.store(true, Ordering::SeqCst);
    assert!(!files.await.unwrap().is_empty());
}

#[tokio::test]
async fn readers_notice_that_another_program_removed_the_log() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let log_id = create(&payments).await.unwrap();
    for _ in 0..3 {
        assert_eq!(old_program(&file.path()), 1);
        let reads =
            futures_util::future::join_all((0..50).map(|_| payments.load(&log_id, 0, 1))).await;
        for read in reads {
            assert_eq!(read.unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_log_that_is_open_elsewhere_in_the_process_is_an_error_until_it_is_not() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    create(&payments).await.unwrap();
    // The driver shares the log's state among all connections of a process.
    let mut own = connect(&file.path()).await;
    sqlx::raw_sql("select count(*) from events")
        .execute(&mut own)
        .await
        .unwrap();
    assert_eq!(old_program(&file.path()), 1);
    let refused = create(&payments).await;
    assert!(
        matches!(&refused, Err(LogManagerError::Store(error)) if is_replaced(error)),
        "{refused:?}"
    );
    own.close().await.unwrap();
    create(&payments).await.unwrap();
    assert_eq!(elsewhere("count", &file.path()), "2");
}

#[tokio::test]
async fn a_removed_log_is_noticed_in_the_middle_of_writing() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    create(&payments).await.unwrap();
    let (path, program) = (file.path(), file.path());
    let looking = tokio::task::spawn_blocking(move || {
        for _ in 0..15 {
            old_program(&program);
        }
    });
    let mut acknowledged = 1;
    while !looking.is_finished() {
        let many = futures_util::future::join_all((0..5).map(|_| create(&payments))).await;
        acknowledged += many.iter().filter(|created| created.is_ok()).count();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    looking.await.unwrap();
    file.store.close().await;
    let stored: usize = elsewhere("count", &path).parse().unwrap();
    assert!(
        stored >= acknowledged,
        "{acknowledged} acknowledged, {stored} stored"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_that_leads_elsewhere_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str| folder.path().join(name);
    fs::create_dir(in_folder("one")).unwrap();
    fs::create_dir(in_folder("other")).unwrap();
    let link = in_folder("events.db");
    std::os::unix::fs::symlink("one/x.db", &link).unwrap();
    SqliteEventStore::open(in_folder("other/x.db"))
        .await
        .unwrap()
        .close()
        .await;

    let store = SqliteEventStore::open(&link).await.unwrap();
    let payments = payments(store.clone());
    create(&payments).await.unwrap();
    assert!(in_folder("one/x.db-wal").exists());
    assert_eq!(old_program(&in_folder("one/x.db")), 1);
    create(&payments)
        .await
        .expect("the log beside the file, not beside the link, is compared");

    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("other/x.db", &link).unwrap();
    let refused = create(&payments).await;
    assert!(
        matches!(&refused, Err(LogManagerError::Store(error)) if is_replaced(error)),
        "{refused:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_with_two_names_is_refused() {
    let file = TemporaryStore::open().await;
    create(&payments(file.store.clone())).await.unwrap();
    let second = beside(&file.path(), ".second");
    fs::hard_link(file.path(), &second).unwrap();
    let refused = SqliteEventStore::open(&second).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::CannotOpen { .. }),
        "{refused:?}"
    );
    create(&payments(file.store.clone()))
        .await
        .expect("the name is the same");
    fs::remove_file(&second).unwrap();
}
