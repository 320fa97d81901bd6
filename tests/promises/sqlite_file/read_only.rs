//! Files that are, or can only be, read.

use super::program::as_nobody;
use super::{TemporaryStore, execute};
use crate::payments::{PaymentEvent, payments};
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{CreateOptions, LogManagerError, SqliteEventStore};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Creates a closed database with one event, in a folder of its own.
async fn archive() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    let store = SqliteEventStore::open(&path).await.unwrap();
    write(&store).await;
    store.close().await;
    (folder, path)
}

async fn write(store: &SqliteEventStore) {
    payments(store.clone())
        .create(
            &LogId::derived("account", "1"),
            &PaymentEvent::Requested { amount: 5 },
            &CreateOptions::default(),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_that_only_reads_refuses_every_write() {
    let file = TemporaryStore::open().await;
    write(&file.store).await;
    let store = SqliteEventStore::open_read_only(file.path()).await.unwrap();
    let reading = payments(store.clone());
    let known = LogId::derived("account", "1");
    assert_eq!(
        reading.reduce(&known).await.unwrap().aggregate().requested,
        5
    );
    let refused = reading
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(&refused, Err(LogManagerError::Store(StoreError::ReadOnly { path: Some(path), .. })) if *path == file.path()),
        "{refused:?}"
    );
    for refused in [
        store.migrate().await.err(),
        store
            .prune_idempotency_keys(std::time::Duration::ZERO)
            .await
            .err(),
    ] {
        assert!(
            matches!(refused, None | Some(StoreError::ReadOnly { .. })),
            "{refused:?}"
        );
    }
    // The store sees what other processes write.
    let later = LogId::new();
    payments(file.store.clone())
        .create(&later, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    assert_eq!(reading.load(&later, 0, 1).await.unwrap().len(), 1);
    let copy = file.path().with_file_name("copy.db");
    store.backup(&copy).await.expect("a copy is another file");
    store.close().await;
}

#[tokio::test]
async fn opened_to_be_read_a_file_is_neither_created_nor_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.db");
    let refused = SqliteEventStore::open_read_only(&missing).await;
    assert!(
        matches!(refused, Err(OpenError::CannotOpen { .. })),
        "{refused:?}"
    );
    assert!(!missing.exists());
    let other = folder.path().join("app.db");
    execute(&other, "create table customers (name text)").await;
    let store = SqliteEventStore::open_read_only(&other).await.unwrap();
    let read = payments(store).reduce(&LogId::new()).await;
    assert!(
        matches!(
            read,
            Err(LogManagerError::Store(StoreError::NotMigrated {
                found: 0,
                ..
            }))
        ),
        "{read:?}"
    );
    let text = folder.path().join("text");
    std::fs::write(&text, "this is a text, and no database".repeat(100)).unwrap();
    let refused = SqliteEventStore::open_read_only(&text).await;
    assert!(
        matches!(refused, Err(OpenError::NotADatabase { .. })),
        "{refused:?}"
    );
}

#[cfg(unix)]
fn allow(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn an_archive_in_a_folder_that_may_only_be_read_opens() {
    let (folder, path) = archive().await;
    for mode in [0o644, 0o444] {
        allow(&path, mode);
        allow(folder.path(), 0o555);
        let said = as_nobody("read", &path);
        let opened = as_nobody("open", &path);
        allow(folder.path(), 0o755);
        let (Some(said), Some(opened)) = (said, opened) else {
            eprintln!("left out: cannot run as another user here");
            return;
        };
        assert!(
            said.starts_with("5; ") && said.contains("read-only"),
            "{said}"
        );
        assert!(!said.contains("server"), "{said}");
        assert!(
            opened.contains(&format!("`{}`", folder.path().display())),
            "{opened}"
        );
        assert!(
            opened.contains("open_read_only") && !opened.contains("server"),
            "{opened}"
        );
        assert_eq!(
            folder.path().read_dir().unwrap().count(),
            1,
            "no file was left next to it"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_only_be_read_is_named() {
    let (folder, path) = archive().await;
    allow(&path, 0o444);
    allow(folder.path(), 0o777);
    let said = as_nobody("write", &path);
    let Some(said) = said else {
        eprintln!("left out: cannot run as another user here");
        return;
    };
    assert!(
        said.contains(&format!("`{}`", path.display())) && !said.contains("server"),
        "{said}"
    );
}
