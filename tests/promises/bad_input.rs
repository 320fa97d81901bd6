//! Mistakes and faults outside the library return a typed error that says what to do, and lose nothing.

use crate::payments::{PaymentEvent, captured, payments};
use crate::sqlite_file::{TemporaryStore, connect, execute};
use eventlogs::codec::DecodeProblem;
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{
    AppendOptions, CreateOptions, DecideOptions, LogManagerError, SqliteEventStore, SqliteOptions,
};
use futures_util::future::join_all;
use std::error::Error;
use std::time::Duration;

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    for content in [
        "short",
        &"a longer text, but still no database\n".repeat(500),
    ] {
        std::fs::write(&path, content).unwrap();
        let refused = SqliteEventStore::open(&path).await;
        assert!(
            matches!(&refused, Err(OpenError::NotADatabase { path: named, .. }) if *named == path),
            "{refused:?}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder/events.db");
    let refused = SqliteEventStore::open(&path).await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::CannotOpen { .. }),
        "{refused:?}"
    );
    assert!(
        refused.to_string().contains(&path.display().to_string()),
        "{refused}"
    );
    assert!(
        refused.source().is_some(),
        "the error of SQLite is the source"
    );
}

#[tokio::test]
async fn a_folder_is_refused_as_one() {
    let folder = tempfile::tempdir().unwrap();
    for refused in [
        SqliteEventStore::open(folder.path()).await.unwrap_err(),
        SqliteEventStore::open_read_only(folder.path())
            .await
            .unwrap_err(),
    ] {
        assert!(
            matches!(&refused, OpenError::InvalidPath { path, .. } if path == folder.path()),
            "{refused:?}"
        );
        let text = refused.to_string();
        assert!(
            text.contains(&folder.path().display().to_string()),
            "{text}"
        );
        assert!(
            text.contains("it is a folder; give the path of a file in it"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_file_cut_short_is_reported_as_damaged() {
    let file = TemporaryStore::open().await;
    let log_id = captured(&payments(file.store.clone())).await;
    file.store.close().await;
    let bytes = std::fs::read(file.path()).unwrap();
    std::fs::write(file.path(), &bytes[..bytes.len() / 2]).unwrap();
    // The lost part decides if opening or reading notices.
    let error = match SqliteEventStore::open(file.path()).await {
        Ok(store) => match payments(store).reduce(&log_id).await.unwrap_err() {
            LogManagerError::Store(error) => error,
            other => panic!("unexpected: {other:?}"),
        },
        Err(OpenError::Store(error)) => error,
        Err(other) => panic!("unexpected: {other:?}"),
    };
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn events_that_the_code_does_not_know_are_errors_that_name_them() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let log_id = captured(&payments).await;
    payments.reduce(&log_id).await.unwrap();
    payments.flush_cache().await;
    let state = payments.reduce(&log_id).await.unwrap().state();
    payments
        .append(state, &PaymentEvent::Voided, &AppendOptions::default())
        .await
        .unwrap();

    for (change, text) in [
        (
            "update events set event_type = 'payment.teleported' where event_index = 2",
            "knows no event of that name",
        ),
        (
            "update events set event_type = 'payment.voided', event_version = 7 where event_index = 2",
            "up to version 1",
        ),
        (
            "update events set event_version = 99999999999 where event_index = 2",
            "up to version 1",
        ),
        (
            "update events set event_version = 1, codec = 9 where event_index = 2",
            "no codec number 9",
        ),
        (
            "update events set codec = 1, payload = x'ff00' where event_index = 2",
            "does not have the shape",
        ),
        (
            "update events set payload = cast('' as blob) where event_index = 2",
            "does not have the shape",
        ),
    ] {
        execute(&file.path(), change).await;
        // From the cache or from the start, as a page or for a decision: always the same error.
        let reduced = payments.reduce(&log_id).await.unwrap_err();
        let loaded = payments.load(&log_id, 0, 10).await.unwrap_err();
        for error in [reduced, loaded] {
            let LogManagerError::Decode(error) = error else {
                panic!("{change}: {error:?}")
            };
            assert_eq!((error.log_id, error.index), (log_id, 2));
            assert!(
                error.problem.to_string().contains(text),
                "{change}: {}",
                error.problem
            );
        }
        let decided = payments
            .decide(&log_id, &DecideOptions::default(), |_| {
                Ok::<_, ()>([PaymentEvent::Voided])
            })
            .await;
        assert!(
            decided.is_err(),
            "{change}: no decision runs on a log that cannot be read"
        );
        // The events before the bad one can still be read.
        assert_eq!(payments.load(&log_id, 0, 2).await.unwrap().len(), 2);
    }
    execute(
        &file.path(),
        "update events set payload = cast('{\"later\":\"field\"}' as blob) where event_index = 2",
    )
    .await;
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().aggregate().voided,
        1,
        "an added field is ignored"
    );
}

#[tokio::test]
async fn rows_that_no_code_of_ours_wrote_are_errors() {
    let file = TemporaryStore::open().await;
    let payments = payments(file.store.clone());
    let log_id = captured(&payments).await;
    execute(
        &file.path(),
        "update events set event_type = 'payment.' || char(0, 65535) where event_index = 1",
    )
    .await;
    let refused = payments.reduce(&log_id).await;
    let Err(LogManagerError::Decode(error)) = &refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(error.problem, DecodeProblem::UnknownName));
    // No order depends on times far outside the calendar, so they are no reason to fail.
    execute(&file.path(), "update events set event_type = 'payment.captured', recorded_at = 9223372036854775807 where event_index = 1").await;
    execute(
        &file.path(),
        "update events set occurred_at = -9223372036854775808 where event_index = 1",
    )
    .await;
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let options = SqliteOptions {
        max_bytes: Some(256 * 1024),
        ..SqliteOptions::default()
    };
    let store = SqliteEventStore::open_with(&path, options).await.unwrap();
    let payments = payments(store.clone());
    let log_id = LogId::new();
    let mut state = payments
        .create(&log_id, &PaymentEvent::Voided, &CreateOptions::default())
        .await
        .unwrap();
    let mut acknowledged = 1;
    let error = loop {
        let batch = vec![PaymentEvent::Voided; 200];
        match payments
            .append_all(state, &batch, &AppendOptions::default())
            .await
        {
            Ok(next) => {
                state = next;
                acknowledged += 200;
            }
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "256 KiB cannot hold so many events");
    };
    assert!(
        matches!(
            error,
            LogManagerError::Store(StoreError::StorageFull { .. })
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("free disk space"), "{error}");
    let payment = payments.reduce(&log_id).await.unwrap();
    assert_eq!(
        payment.state(),
        state,
        "exactly the acknowledged events are stored"
    );

    // Of the appends in one batch, those that fit are stored.
    let others = join_all((0..20).map(|_| {
        let payments = payments.clone();
        async move {
            payments
                .create(
                    &LogId::new(),
                    &PaymentEvent::Voided,
                    &CreateOptions::default(),
                )
                .await
        }
    }))
    .await;
    for refused in others.iter().filter_map(|other| other.as_ref().err()) {
        assert!(
            matches!(
                refused,
                LogManagerError::Store(StoreError::StorageFull { .. })
            ),
            "{refused:?}"
        );
    }
    store.close().await;

    // Once there is room again, the same append works.
    let payments = crate::payments::payments(SqliteEventStore::open(&path).await.unwrap());
    payments
        .append_all(
            state,
            &vec![PaymentEvent::Voided; 200],
            &AppendOptions::default(),
        )
        .await
        .unwrap();
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().through_index(),
        acknowledged + 199
    );
}

#[tokio::test]
async fn a_file_locked_by_somebody_else_is_waited_for_and_then_reported() {
    let file = TemporaryStore::open().await;
    let options = SqliteOptions {
        busy_timeout: Duration::from_millis(20),
        ..SqliteOptions::default()
    };
    let store = SqliteEventStore::open_with(file.path(), options)
        .await
        .unwrap();
    let payments = payments(store);
    let log_id = captured(&payments).await;

    let mut other = connect(&file.path()).await;
    sqlx::raw_sql("begin immediate")
        .execute(&mut other)
        .await
        .unwrap();
    let refused = payments
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::Busy { .. }))
        ),
        "{refused:?}"
    );
    assert_eq!(
        payments.reduce(&log_id).await.unwrap().aggregate().captured,
        100,
        "readers do not wait for the writer"
    );
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    payments
        .create(
            &LogId::new(),
            &PaymentEvent::Voided,
            &CreateOptions::default(),
        )
        .await
        .unwrap();
}

#[test]
fn ids_that_are_none_are_refused() {
    for text in [
        "",
        "17",
        "not-a-uuid",
        "01890a5d-ac96-774b-bcce-b302099a805",
        "01890a5d-ac96-774b-bcce-b302099a80577",
    ] {
        let error = text.parse::<LogId>().unwrap_err();
        assert!(error.to_string().contains("give a UUID such as"), "{error}");
    }
    assert!(serde_json::from_str::<LogId>("\"17\"").is_err());
}
