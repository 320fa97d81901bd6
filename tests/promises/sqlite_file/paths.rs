//! Paths of a database file: valid and refused ones.

use super::program::elsewhere;
use crate::payments::{PaymentEvent, payments};
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{CreateOptions, SqliteEventStore, SqliteOptions};
use std::ffi::OsStr;
use std::time::Duration;

#[tokio::test]
async fn a_relative_path_does_not_follow_the_process_into_another_folder() {
    for task in ["follow", "follow after a lost connection"] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["here", "there"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let other = folder.path().join("there/x.db");
        let store = SqliteEventStore::open(&other).await.unwrap();
        let requested = PaymentEvent::Requested { amount: 1_000_000 };
        let log_id = LogId::derived("account", "1");
        payments(store.clone())
            .create(&log_id, &requested, &CreateOptions::default())
            .await
            .unwrap();
        store.close().await;
        let said = elsewhere(task, folder.path());
        assert!(["5", "done"].contains(&said.as_str()), "{task}: {said}");
        assert_eq!(elsewhere("count", &other), "1", "{task}");
        let written = elsewhere("count", &folder.path().join("here/x.db"));
        assert!(["2", "20"].contains(&written.as_str()), "{task}: {written}");
    }
}

#[tokio::test]
async fn nothing_is_created_where_a_relative_path_leads_later() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["here", "there"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    assert_eq!(elsewhere("follow", folder.path()), "5");
    let files = std::fs::read_dir(folder.path().join("there")).unwrap();
    assert_eq!(files.count(), 0);
}

#[tokio::test]
async fn what_names_no_file_is_refused_with_the_right_call() {
    let in_memory = [
        "",
        ":memory:",
        "file::memory:",
        "sqlite::memory:",
        "file:x?mode=memory",
    ];
    let urls = [
        "file:x.db",
        "file:///tmp/x.db",
        "sqlite:x.db",
        "sqlite://x.db",
    ];
    for name in in_memory.into_iter().chain(urls) {
        let error = SqliteEventStore::open(name).await.unwrap_err();
        assert!(
            matches!(error, OpenError::InvalidPath { .. }),
            "{name}: {error:?}"
        );
        let advice = if in_memory.contains(&name) {
            "in_memory()"
        } else {
            "path alone"
        };
        assert!(error.to_string().contains(advice), "{name}: {error}");
        assert!(
            SqliteEventStore::open_read_only(name).await.is_err(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn odd_names_are_ordinary_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "a?b",
        "a#b",
        "a%20b",
        "a b",
        "'",
        "\"",
        "a\nb",
        "-",
        "zählung 📒",
        ":memory:",
        "file:x",
        "sqlite:x",
        "x?mode=memory",
        "%",
    ] {
        let path = folder.path().join(name);
        let store = SqliteEventStore::open(&path).await.unwrap();
        let (payments, log_id) = (payments(store.clone()), LogId::new());
        payments
            .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
            .await
            .unwrap();
        assert!(payments.reduce(&log_id).await.is_ok(), "{name}");
        let copy = folder.path().join(format!("{name}.copy"));
        store.backup(&copy).await.unwrap();
        store.close().await;
        assert!(path.is_file() && copy.is_file(), "{name}");
        let read = SqliteEventStore::open_read_only(&copy).await.unwrap();
        assert!(
            crate::payments::payments(read)
                .reduce(&log_id)
                .await
                .is_ok(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_path_that_sqlite_cannot_take_cannot_be_opened() {
    let mut paths = vec![OsStr::new("a\0b")];
    #[cfg(unix)]
    paths.push(std::os::unix::ffi::OsStrExt::from_bytes(b"/tmp/a\xffb"));
    for path in paths {
        let error = SqliteEventStore::open(path).await.unwrap_err();
        assert!(matches!(error, OpenError::CannotOpen { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_folder_is_named_where_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = SqliteEventStore::open(missing.join("x.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::CannotOpen { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(&format!("`{}`", missing.display())),
        "{error}"
    );
}

#[tokio::test]
async fn options_at_their_ends_work() {
    let folder = tempfile::tempdir().unwrap();
    let (none, most) = (Duration::ZERO, Duration::MAX);
    let month = Duration::from_hours(720);
    let options = [
        SqliteOptions {
            busy_timeout: none,
            ..Default::default()
        },
        SqliteOptions {
            busy_timeout: month,
            ..Default::default()
        },
        SqliteOptions {
            busy_timeout: most,
            ..Default::default()
        },
        SqliteOptions {
            readers: 0,
            ..Default::default()
        },
        SqliteOptions {
            readers: u32::MAX,
            ..Default::default()
        },
        SqliteOptions {
            max_bytes: Some(u64::MAX),
            ..Default::default()
        },
        SqliteOptions {
            max_bytes: Some(i64::MAX.unsigned_abs() + 1),
            ..Default::default()
        },
    ];
    for (options, number) in options.into_iter().zip(0..) {
        let path = folder.path().join(format!("{number}.db"));
        let stores = [
            SqliteEventStore::open_with(path, options.clone())
                .await
                .unwrap(),
            SqliteEventStore::in_memory_with(options).await.unwrap(),
        ];
        for store in stores {
            let (payments, log_id) = (payments(store.clone()), LogId::new());
            payments
                .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
                .await
                .unwrap();
            assert!(payments.reduce(&log_id).await.is_ok());
            store.close().await;
        }
    }
    for max_bytes in [0, 1, 4096] {
        let options = SqliteOptions {
            max_bytes: Some(max_bytes),
            ..Default::default()
        };
        let full = SqliteEventStore::open_with(
            folder.path().join(format!("full {max_bytes}.db")),
            options,
        )
        .await;
        assert!(
            matches!(full, Err(OpenError::Store(StoreError::StorageFull { .. }))),
            "{full:?}"
        );
    }
}
