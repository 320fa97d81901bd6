//! Servers that are slow, gone, locked, read-only or not to be had.

use super::TestStore;
use crate::payments::{PaymentEvent, captured, payments, refund};
use eventlogs::ids::LogId;
use eventlogs::stores::StoreError;
use eventlogs::{
    AppendOptions, Appends, DecideOptions, EventRecord, LogManagerError, LogState,
    PostgresEventStore, PostgresOptions,
};
use futures_util::future::join_all;
use sqlx::Executor;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_server_that_only_reads_is_recognised() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let log_id = captured(&payments(store.store.clone())).await;
    let standby = store
        .connect
        .clone()
        .options([("default_transaction_read_only", "on")]);
    let standby = PostgresEventStore::connect_with(standby, store.options.clone())
        .await
        .unwrap();
    let manager = payments(standby);
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
    let refused = manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
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
async fn a_row_that_somebody_holds_locked_is_waited_for_and_then_reported() {
    let Some(store) = TestStore::with(PostgresOptions {
        lock_timeout: Duration::from_millis(50),
        ..PostgresOptions::default()
    })
    .await
    else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    let mut other = store.connection().await;
    other.execute("begin").await.unwrap();
    sqlx::query(
        "insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, epoch, kind)
         values ($1, 2, gen_random_uuid(), 'payment.voided', 1, 1, '{}', now(), 1, 0)",
    )
    .bind(log_id.as_uuid())
    .execute(&mut other)
    .await
    .unwrap();
    let blocked = manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await;
    assert!(
        matches!(
            blocked,
            Err(LogManagerError::Store(StoreError::Busy { .. }))
        ),
        "{blocked:?}"
    );
    other.execute("rollback").await.unwrap();
    manager
        .append(
            LogState::at(log_id, 1),
            &PaymentEvent::Voided,
            &AppendOptions::default(),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    let mut state = LogState::at(log_id, 1);
    let rounds = 60;
    for round in 0..rounds {
        // Once more, so that the statement is prepared on the connection and the lost answer is that of the append.
        manager.reduce(&log_id).await.unwrap();
        let key = (round % 2 == 0).then(|| format!("{log_id}-{round}"));
        let options = AppendOptions {
            idempotency_key: key,
            ..Default::default()
        };
        proxy.lose_next_answer();
        let events =
            vec![PaymentEvent::Captured { amount: round }; 1 + usize::try_from(round % 3).unwrap()];
        state = manager
            .append_all(state, &events, &options)
            .await
            .expect("the library finds the truth");
    }
    assert!(
        proxy.lost_answers() >= rounds,
        "{} answers were lost",
        proxy.lost_answers()
    );
    let records = manager.load(&log_id, 2, 1_000).await.unwrap();
    let amounts: Vec<_> = records
        .iter()
        .map(|record| record.event().clone())
        .collect();
    let expected = (0..rounds).flat_map(|round| {
        vec![PaymentEvent::Captured { amount: round }; 1 + usize::try_from(round % 3).unwrap()]
    });
    assert_eq!(
        amounts,
        expected.collect::<Vec<_>>(),
        "each event exactly once"
    );
    assert_eq!(records.last().map(EventRecord::index), Some(state.index()));
}

/// The second attempt is refused by the events of the first one, of whichever log; the caller hears of success.
#[tokio::test]
async fn a_lost_answer_about_several_logs_is_found_again() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let (one, other) = (captured(&manager).await, captured(&manager).await);
    let (mut first, mut second) = (LogState::at(one, 1), LogState::at(other, 1));
    let mut begun = Vec::new();
    let rounds = 30;
    for round in 0..rounds {
        // Once more, so that the lost answer is that of the append.
        manager.reduce(&one).await.unwrap();
        let options = AppendOptions {
            idempotency_key: (round % 2 == 0).then(|| format!("{one}-{round}")),
            ..Default::default()
        };
        let new = LogId::new();
        begun.push(new);
        proxy.lose_next_answer();
        let appends = Appends::new()
            .append(first, [refund(1), refund(1)])
            .create(new, [PaymentEvent::Captured { amount: round }])
            .append(second, [refund(1)]);
        let states = manager
            .append_many(appends, &options)
            .await
            .expect("the library finds the truth");
        (first, second) = (states[0].into(), states[2].into());
    }
    assert!(
        proxy.lost_answers() >= rounds,
        "{} answers were lost",
        proxy.lost_answers()
    );
    for (log_id, refunded) in [(one, 2 * rounds), (other, rounds)] {
        let payment = manager.reduce(&log_id).await.unwrap();
        assert_eq!(payment.aggregate().refunded, refunded, "each event once");
    }
    for (log_id, amount) in begun.into_iter().zip(0..) {
        let payment = manager.reduce(&log_id).await.unwrap();
        assert_eq!(payment.aggregate().captured, amount);
        assert_eq!(payment.through_index(), 0);
    }
}

#[tokio::test]
async fn without_an_answer_in_time_the_outcome_is_unknown() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_millis(400)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    proxy.black_hole(true);
    let state = LogState::at(log_id, 1);
    let unknown = manager
        .append(state, &refund(1), &AppendOptions::default())
        .await;
    assert!(
        matches!(
            unknown,
            Err(LogManagerError::Store(StoreError::OutcomeUnknown {
                source: Some(_)
            }))
        ),
        "{unknown:?}"
    );
    // A read cannot have changed anything.
    let unread = manager.reduce(&log_id).await;
    assert!(
        matches!(
            unread,
            Err(LogManagerError::Store(StoreError::Unavailable { .. }))
        ),
        "{unread:?}"
    );
    proxy.black_hole(false);
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().captured,
        100
    );
}

#[tokio::test]
async fn ended_sessions_are_replaced() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let name = format!("victim of {}", store.options.schema);
    let connect = store.connect.clone().application_name(&name);
    let manager = payments(
        PostgresEventStore::connect_with(connect, store.options.clone())
            .await
            .unwrap(),
    );
    let log_id = captured(&manager).await;
    let mut killer = store.connection().await;
    let working = tokio::spawn({
        let manager = manager.clone();
        async move {
            for _ in 0..30 {
                let options = DecideOptions {
                    max_attempts: 100,
                    ..Default::default()
                };
                manager
                    .decide(&log_id, &options, |_| Ok::<_, ()>([refund(1)]))
                    .await
                    .expect("sessions are replaced");
            }
        }
    });
    while !working.is_finished() {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
        )
        .bind(&name)
        .execute(&mut killer)
        .await
        .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    working.await.unwrap();
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        30
    );
}

/// The mistakes that one can make with an address, and what they are told.
#[tokio::test]
async fn servers_that_cannot_be_had_are_reported_without_secrets() {
    let unreachable = "postgres://app:hunter2@127.0.0.1:1/payments";
    let malformed = [
        "postgres://app:hunter2@host:notaport/db",
        "mysql://app:hunter2@host/db",
        "app:hunter2",
        "",
    ];
    for url in malformed {
        let error = PostgresEventStore::connect(url).await.unwrap_err();
        assert!(
            matches!(error, StoreError::InvalidUrl { .. }),
            "{url}: {error:?}"
        );
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
    let error = PostgresEventStore::connect(unreachable).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );

    let Some(store) = TestStore::new().await else {
        return;
    };
    let no_database = store.connect.clone().database("no_such_database");
    let tls = store
        .connect
        .clone()
        .ssl_mode(sqlx::postgres::PgSslMode::Require);
    let error = PostgresEventStore::connect_with(no_database, store.options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    let error = PostgresEventStore::connect_with(tls, store.options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Tls { .. }), "{error:?}");
    let schema = PostgresOptions {
        schema: "No; drop table".to_owned(),
        ..PostgresOptions::default()
    };
    let error = PostgresEventStore::connect_with(store.connect.clone(), schema)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::InvalidSchema { .. }),
        "{error:?}"
    );
    let wrong = store
        .connect
        .clone()
        .username("nobody_of_that_name")
        .password("hunter2");
    let error = PostgresEventStore::connect_with(wrong, store.options.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[tokio::test]
async fn times_that_no_calendar_has_are_no_reason_to_fail() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let log_id = captured(&manager).await;
    store
        .execute("update events set occurred_at = '-infinity', recorded_at = '290000-01-01'")
        .await;
    store
        .execute("update events set recorded_at = 'infinity' where event_index = 1")
        .await;
    let payment = manager.reduce(&log_id).await.unwrap();
    assert_eq!(payment.aggregate().captured, 100);
    let records = manager.load(&log_id, 0, 10).await.unwrap();
    assert!(records[0].occurred_at() < Some(records[0].recorded_at()));
    // Nor does the log go on in a time without an end.
    let options = AppendOptions::default();
    manager
        .append(payment, &PaymentEvent::Voided, &options)
        .await
        .unwrap();
    assert!(manager.reduce(&log_id).await.unwrap().updated_at() < records[1].recorded_at());
}

/// A trigger of somebody's own changes what comes back into something that the driver panics at.
#[tokio::test]
async fn a_batch_that_the_driver_chokes_on_holds_up_nobody() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let payments = payments(store.store.clone());
    let log_id = captured(&payments).await;
    let options = AppendOptions {
        deadline: Some(Instant::now() + Duration::from_secs(20)),
        ..AppendOptions::default()
    };
    store
        .execute(
            "create function never() returns trigger language plpgsql as
             'begin new.recorded_at = ''infinity''; return new; end'",
        )
        .await;
    store
        .execute(
            "create trigger never before insert on events for each row execute function never()",
        )
        .await;
    let state = LogState::at(log_id, 1);
    let refund = refund(1);
    // Alone, and with others.
    let lone = payments.append(state, &refund, &options).await;
    let many = join_all((0..3).map(|_| payments.append(state, &refund, &options))).await;
    store.execute("drop trigger never on events").await;
    for told in [&lone].into_iter().chain(&many) {
        assert!(
            matches!(
                told,
                Err(LogManagerError::ConcurrentAppend { .. }
                    | LogManagerError::Store(StoreError::OutcomeUnknown { .. }))
            ),
            "{told:?}"
        );
    }
    let next = payments.append(LogState::at(log_id, 2), &refund, &options);
    next.await.expect("the log is not stuck");
    captured(&payments).await;
}
