//! What a caller passes and gets: an expected index, one event or several, the outcome of a decision, and keys.

use crate::payments::{Payment, PaymentEvent, captured, on_every_store, payments, refund};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{InvalidAppend, StoreError};
use eventlogs::{
    AnyEventStore, AppendOptions, CreateOptions, DecideError, DecideOptions, EventStore,
    LogManager, LogManagerError, LogPosition, LogState, PostgresEventStore, SqliteEventStore,
    across, connect,
};
use futures_util::future::join_all;
use std::convert::Infallible;

/// Options with the index that a client sends.
fn if_match(index: u64) -> DecideOptions {
    DecideOptions {
        expected_index: Some(index),
        ..Default::default()
    }
}

fn refunding(amount: u64) -> impl Fn(&Payment) -> Result<PaymentEvent, &'static str> {
    move |payment| {
        if payment.outstanding() < amount {
            return Err("too much");
        }
        Ok(refund(amount))
    }
}

fn is_elsewhere<T, R>(
    result: &Result<T, DecideError<R>>,
    wanted: u64,
    actual: Option<u64>,
) -> bool {
    matches!(
        result,
        Err(DecideError::Log(LogManagerError::UnexpectedIndex { expected, found, .. }))
            if *expected == wanted && *found == actual
    )
}

#[tokio::test]
async fn a_decision_is_made_only_where_the_caller_expects_the_log_to_end() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let late = payments.decide(log_id, &if_match(0), refunding(30)).await;
        assert!(is_elsewhere(&late, 0, Some(1)), "{store}: {late:?}");
        let ahead = payments.decide(log_id, &if_match(7), refunding(30)).await;
        assert!(is_elsewhere(&ahead, 7, Some(1)), "{store}: {ahead:?}");
        assert_eq!(
            payments.reduce(log_id).await.unwrap().aggregate().refunded,
            0,
            "{store}"
        );

        let decided = payments.decide(log_id, &if_match(1), refunding(30)).await;
        assert_eq!(decided.unwrap().state().index(), 2, "{store}");
        let again = payments.decide(log_id, &if_match(1), refunding(30)).await;
        assert!(is_elsewhere(&again, 1, Some(2)), "{store}: {again:?}");
        assert_eq!(
            payments.reduce(log_id).await.unwrap().aggregate().refunded,
            30,
            "{store}"
        );
    }
}

#[tokio::test]
async fn the_key_counts_before_the_expected_index() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let options = DecideOptions {
            expected_index: Some(1),
            ..DecideOptions::with_key("refund 1")
        };
        let first = payments.decide(log_id, &options, refunding(30)).await;
        assert!(!first.unwrap().is_replay(), "{store}");
        let retry = payments
            .decide(log_id, &options, refunding(30))
            .await
            .unwrap();
        assert!(retry.is_replay(), "{store}");
        assert!(!retry.has_appended(), "{store}");
        assert_eq!(
            (retry.first_index(), retry.event_count()),
            (Some(2), 1),
            "{store}"
        );
        assert!(retry.events().is_empty(), "{store}");
    }
}

/// The expectation is compared with the log, not with what this process remembers of it.
#[tokio::test]
async fn a_cache_that_is_behind_does_not_decide_about_the_expected_index() {
    let store = FakeEventStore::new();
    let (here, elsewhere) = (payments(store.clone()), payments(store));
    let log_id = captured(&here).await;
    here.reduce(log_id).await.unwrap();
    here.flush_cache().await;
    let state: LogState<PaymentEvent> = LogState::at(log_id, 1);
    elsewhere
        .append(state, &refund(10), AppendOptions::NONE)
        .await
        .unwrap();

    // The client saw the newest state in another process.
    let decided = here
        .decide(log_id, &if_match(2), refunding(30))
        .await
        .unwrap();
    assert_eq!(decided.aggregate().refunded, 40);
    // A client that has not seen it is told, also if its decision would be refused, or would change nothing.
    elsewhere
        .append(&decided, &refund(60), AppendOptions::NONE)
        .await
        .unwrap();
    let refused = here.decide(log_id, &if_match(3), refunding(500)).await;
    assert!(is_elsewhere(&refused, 3, Some(4)), "{refused:?}");
    let none = |_: &Payment| Ok::<_, Infallible>(None);
    let nothing = here.decide(log_id, &if_match(3), none).await;
    assert!(is_elsewhere(&nothing, 3, Some(4)), "{nothing:?}");
}

#[tokio::test]
async fn of_many_callers_who_saw_one_index_one_decides() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let options = if_match(1);
        let calls = (0..20).map(|_| payments.decide(log_id, &options, refunding(1)));
        let results = join_all(calls).await;
        let made = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(made, 1, "{store}");
        let late = results.iter().filter(|late| is_elsewhere(late, 1, Some(2)));
        assert_eq!(late.count(), 19, "{store}: {results:?}");
        assert_eq!(
            payments.reduce(log_id).await.unwrap().aggregate().refunded,
            1,
            "{store}"
        );
    }
}

#[tokio::test]
async fn an_expected_index_needs_one_log_that_exists() {
    for (store, payments) in on_every_store().await {
        let missing = payments
            .decide(LogId::new(), &if_match(0), refunding(1))
            .await;
        assert!(
            matches!(
                missing,
                Err(DecideError::Log(LogManagerError::LogNotFound { .. }))
            ),
            "{store}: {missing:?}"
        );
        let options = DecideOptions {
            create_if_missing: true,
            ..if_match(0)
        };
        let missing = payments.decide(LogId::new(), &options, refunding(0)).await;
        assert!(is_elsewhere(&missing, 0, None), "{store}: {missing:?}");

        let (one, other) = (captured(&payments).await, captured(&payments).await);
        let options = if_match(1);
        let several = payments.decide_each([one, other], &options, |payments| {
            Ok::<_, Infallible>(payments.iter().map(|_| refund(1)).collect::<Vec<_>>())
        });
        let several = several.await.map(|_| ()).unwrap_err();
        let is_refused = matches!(
            several,
            DecideError::Log(LogManagerError::Invalid(InvalidAppend::ExpectedIndex))
        );
        assert!(is_refused, "{store}: {several:?}");
    }
}

#[tokio::test]
async fn a_decision_returns_one_event_or_none_or_several() {
    for (store, payments) in on_every_store().await {
        let (log_id, options) = (captured(&payments).await, DecideOptions::NONE);
        let one = payments.decide(log_id, options, |_| Ok::<_, Infallible>(refund(1)));
        assert_eq!(one.await.unwrap().event_count(), 1, "{store}");
        let some = payments.decide(log_id, options, |_| Ok::<_, Infallible>(Some(refund(2))));
        assert_eq!(some.await.unwrap().first_index(), Some(3), "{store}");
        let array = payments.decide(log_id, options, |_| {
            Ok::<_, Infallible>([refund(3), refund(4)])
        });
        let array = array.await.unwrap();
        assert!(array.has_appended(), "{store}");
        assert_eq!(
            (array.first_index(), array.event_count()),
            (Some(4), 2),
            "{store}"
        );
        let list = payments.decide(log_id, options, |_| Ok::<_, Infallible>(vec![refund(5)]));
        assert_eq!(list.await.unwrap().aggregate().refunded, 15, "{store}");

        let none = payments
            .decide(log_id, options, |_| Ok::<_, Infallible>(None))
            .await;
        let none = none.unwrap();
        assert!(!none.has_appended(), "{store}");
        assert_eq!(
            (none.first_index(), none.event_count()),
            (None, 0),
            "{store}"
        );
        assert_eq!(none.appended(), None, "{store}");
        assert_eq!(none.state().index(), 6, "{store}");
    }
}

/// Also when decisions build on each other, and when the events were recorded later than this process guessed.
#[tokio::test]
async fn a_decision_says_what_it_has_appended_and_where() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let calls = (1..=20).map(|amount| {
            payments.decide(log_id, DecideOptions::NONE, move |_| {
                Ok::<_, Infallible>([refund(amount), PaymentEvent::Captured { amount }])
            })
        });
        let decided: Vec<_> = join_all(calls)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let stored = payments.load(log_id, 0, 100).await.unwrap();
        for decided in &decided {
            let first = usize::try_from(decided.first_index().unwrap()).unwrap();
            assert_eq!(decided.events(), &stored[first..first + 2], "{store}");
            let last = stored[first + 1].position();
            assert_eq!(decided.appended(), Some(last), "{store}");
        }
        let of_two = across(((&payments, log_id), (&payments, captured(&payments).await)));
        let of_two = of_two.decide(DecideOptions::NONE, |_, _| {
            Ok::<_, Infallible>((refund(1), None))
        });
        let of_two = of_two.await.unwrap();
        let (written, seen) = of_two.logs();
        assert_eq!(
            written.events(),
            &payments.load(log_id, 42, 9).await.unwrap(),
            "{store}"
        );
        assert!(seen.events().is_empty(), "{store}");
    }
}

#[tokio::test]
async fn the_closure_can_see_the_index() {
    for (store, payments) in on_every_store().await {
        let log_id = LogId::new();
        let options = DecideOptions {
            create_if_missing: true,
            ..Default::default()
        };
        for expected in [None, Some(0), Some(1)] {
            let seen = payments.decide_with_index(log_id, &options, |_: &Payment, index| {
                assert_eq!(index, expected, "{store}");
                Ok::<_, Infallible>(PaymentEvent::Captured { amount: 1 })
            });
            assert_eq!(
                seen.await.unwrap().first_index(),
                Some(expected.map_or(0, |last| last + 1))
            );
        }
    }
}

#[tokio::test]
async fn an_append_takes_whatever_has_the_end_of_the_log() {
    for (store, payments) in on_every_store().await {
        let log_id = captured(&payments).await;
        let reduced = payments.reduce(log_id).await.unwrap();
        let options = AppendOptions::with_key("one");
        let state = payments
            .append(&reduced, &refund(1), &options)
            .await
            .unwrap();
        let state = payments
            .append(&state, &refund(2), AppendOptions::NONE)
            .await
            .unwrap();
        let decided = payments
            .decide(log_id, DecideOptions::NONE, refunding(3))
            .await
            .unwrap();
        assert_eq!(state.index() + 1, decided.state().index(), "{store}");
        payments
            .append(&decided, &refund(4), AppendOptions::NONE)
            .await
            .unwrap();
        let replay = payments.append(&reduced, &refund(1), &options).await;
        assert!(
            matches!(
                replay,
                Err(LogManagerError::IdempotentReplay { event_index: 2, .. })
            ),
            "{store}: {replay:?}"
        );
        assert_eq!(
            payments.reduce(log_id).await.unwrap().aggregate().refunded,
            10,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_log_exists_after_its_first_event() {
    for (store, payments) in on_every_store().await {
        let uuid = uuid::Uuid::now_v7();
        assert!(!payments.exists(uuid).await.unwrap(), "{store}");
        let event = PaymentEvent::Requested { amount: 1 };
        payments
            .create(&uuid, &event, CreateOptions::NONE)
            .await
            .unwrap();
        assert!(payments.exists(&uuid).await.unwrap(), "{store}");
        assert_eq!(
            payments.reduce(&uuid).await.unwrap().log_id(),
            LogId::from(uuid),
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_key_finds_the_write_that_used_it() {
    for (store, payments) in on_every_store().await {
        let (one, other) = (captured(&payments).await, captured(&payments).await);
        let key = format!("of {one}");
        assert!(payments.find_key(&key).await.unwrap().is_empty(), "{store}");
        let options = AppendOptions::with_key(key.as_str());
        let states = [one, other].map(|log_id| (LogState::at(log_id, 1), [refund(1)]));
        let ends = payments.append_across(states, &options).await.unwrap();
        let found = payments.find_key(&key).await.unwrap();
        let positions: Vec<LogPosition> = found.iter().map(|part| part.state).collect();
        assert_eq!(positions, ends, "{store}");

        let empty = payments.find_key("").await;
        assert!(
            matches!(
                empty,
                Err(LogManagerError::Invalid(
                    InvalidAppend::IdempotencyKey { .. }
                ))
            ),
            "{store}: {empty:?}"
        );
    }
}

/// Takes a store from opening to closing, through a manager.
async fn live(store: impl EventStore<PaymentEvent> + Clone) {
    let payments: LogManager<Payment> = payments(store.clone());
    payments.migrate().await.unwrap();
    payments.ping().await.unwrap();
    let log_id = captured(&payments).await;
    assert_eq!(
        payments.reduce(log_id).await.unwrap().aggregate().captured,
        100
    );
    payments.close().await;
    let closed = payments.ping().await;
    assert!(
        matches!(closed, Err(LogManagerError::Store(StoreError::Closed))),
        "{closed:?}"
    );
    let closed = payments.reduce(log_id).await;
    assert!(
        matches!(closed, Err(LogManagerError::Store(StoreError::Closed))),
        "{closed:?}"
    );
}

#[tokio::test]
async fn a_store_is_chosen_by_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pay ments.db");
    let url = format!("sqlite://{}", path.display()).replace(' ', "%20");
    live(connect(&url).await.unwrap()).await;
    let sqlite = SqliteEventStore::open(&path).await.unwrap();
    live(AnyEventStore::from(sqlite)).await;
    live(connect("sqlite::memory:").await.unwrap()).await;

    let archive = connect(&format!("{url}?mode=ro")).await.unwrap();
    EventStore::<PaymentEvent>::ping(&archive).await.unwrap();
    let refused = payments(archive)
        .create(LogId::new(), &PaymentEvent::Voided, CreateOptions::NONE)
        .await;
    assert!(
        matches!(
            refused,
            Err(LogManagerError::Store(StoreError::ReadOnly { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_is_chosen_by_its_url() {
    let Some(test) = TestStore::new().await else {
        return;
    };
    live(test.store.clone()).await;
    let Some(url) = crate::servers::postgres_url() else {
        return;
    };
    let any = connect(&url).await.unwrap();
    assert!(matches!(
        any,
        AnyEventStore::Postgres(PostgresEventStore { .. })
    ));
    any.close().await;
    assert!(matches!(any.ping().await, Err(StoreError::Closed)));
}
