//! Appends to several logs, and logs that they require: on a server, with other processes and open transactions.

use super::TestStore;
use crate::payments::{PaymentEvent, captured, payments, refund};
use eventlogs::feed::{FeedRequest, Wanted};
use eventlogs::ids::LogId;
use eventlogs::stores::{AppendAcrossRequest, AppendError, StoreError};
use eventlogs::{
    AppendOptions, Appends, Cursor, EventFeed, EventStore, LogManagerError, LogPosition, LogState,
    PostgresEventStore,
};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::time::Duration;

/// Appends one event to a log that ends at this index, if another log ends at an index.
fn appending(log: (LogId, u64), required: (LogId, u64)) -> Appends {
    let appends = Appends::new().append(LogState::at(log.0, log.1), [refund(1)]);
    appends.require::<PaymentEvent>(LogState::at(required.0, required.1))
}

async fn append(
    store: &PostgresEventStore,
    appends: Appends,
) -> Result<Vec<LogPosition>, AppendError> {
    EventStore::<PaymentEvent>::append_across(store, AppendAcrossRequest::new(appends)).await
}

async fn length(store: &TestStore, log_id: LogId) -> u64 {
    let end = EventStore::<PaymentEvent>::ends(&store.store, &[log_id]).await;
    end.unwrap()[0].map_or(0, |end| end.index() + 1)
}

/// Returns the number of the session of a connection.
async fn session(connection: &mut PgConnection) -> i32 {
    let own = sqlx::raw_sql("select pg_backend_pid()");
    own.fetch_one(connection).await.unwrap().get(0)
}

/// Waits until another session waits for this one.
async fn until_blocked(by: i32, watcher: &mut PgConnection) {
    let blocked = "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
    for _ in 0..2_000 {
        let count = sqlx::query(blocked).bind(by).fetch_one(&mut *watcher);
        if count.await.unwrap().get::<i64, _>(0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no session waits");
}

async fn count(connection: &mut PgConnection, of: &'static str) -> i64 {
    let row = sqlx::raw_sql(of).fetch_one(connection).await.unwrap();
    row.get(0)
}

/// What keeps the place of a required log is never seen: not by a reader of the table, and not in the feed.
#[tokio::test]
async fn nobody_sees_what_keeps_a_place() {
    const PLACEHOLDERS: &str = "select count(*) from events where event_type = ''";
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let shared = captured(&manager).await;
    let mut own = Vec::new();
    for _ in 0..8 {
        own.push(captured(&manager).await);
    }
    let other_process = store.another().await;
    let writes = own.iter().enumerate().map(async |(number, log_id)| {
        let store = if number % 2 == 0 {
            &store.store
        } else {
            &other_process
        };
        let mut index = 1;
        for round in 0..30_u64 {
            let mut appends = appending((*log_id, index), (shared, 1));
            let moved = round % 3 == 2;
            if moved {
                // The write is refused, after or before the places are taken.
                appends = appends.require_absent::<PaymentEvent>(*log_id_of(&own, number));
            }
            let answer = append(store, appends.require_absent::<PaymentEvent>(LogId::new())).await;
            assert_eq!(answer.is_err(), moved, "{answer:?}");
            index += u64::from(!moved);
        }
        index
    });
    let mut connection = store.connection().await;
    let reads = async {
        let mut seen = 0;
        for _ in 0..200 {
            seen += count(&mut connection, PLACEHOLDERS).await;
            tokio::task::yield_now().await;
        }
        seen
    };
    let (indices, seen) = tokio::join!(join_all(writes), reads);
    assert_eq!(seen, 0);
    assert_eq!(indices, [21; 8]);
    assert_eq!(count(&mut connection, PLACEHOLDERS).await, 0);
    let all = count(&mut connection, "select count(*) from events").await;
    assert_eq!(all, 2 * 9 + 20 * 8);
    let mut cursor = Cursor::START;
    let mut found = 0;
    let everything = Wanted::all();
    // The transactions of other tests hold back the end of the feed.
    while i64::try_from(found).unwrap() < all {
        let head = EventFeed::head(&store.store).await.unwrap();
        let request = FeedRequest::new(cursor, head, 100, &everything);
        let page = store.store.read_feed(request).await.unwrap();
        found += page.events.len();
        cursor = page.cursor;
    }
    assert_eq!(i64::try_from(found).unwrap(), all);
    assert_eq!(length(&store, shared).await, 2);
}

/// Returns a log that exists, and that this writer does not append to.
fn log_id_of(own: &[LogId], number: usize) -> &LogId {
    &own[(number + 1) % own.len()]
}

/// The function that gives places back deletes nothing that was ever visible, whoever calls it.
#[tokio::test]
async fn a_role_needs_no_privilege_to_delete_events() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let (log_id, required) = (captured(&manager).await, captured(&manager).await);
    let schema = &store.options.schema;
    let role = format!("{schema}_app");
    let grants = format!(
        "create role {role} login password 'only for this test';
         grant usage on schema {schema} to {role};
         grant select on all tables in schema {schema} to {role};
         grant insert on {schema}.events, {schema}.idempotency_keys to {role}"
    );
    let mut owner = store.connection().await;
    owner
        .execute(sqlx::raw_sql(AssertSqlSafe(grants)))
        .await
        .unwrap();
    let connect = store.connect.clone().username(&role);
    let connect = connect.password("only for this test");
    let app = PostgresEventStore::connect_with(connect.clone(), store.options.clone());
    let app = app.await.unwrap();
    append(&app, appending((log_id, 1), (required, 1)))
        .await
        .unwrap();
    for appends in [
        appending((log_id, 1), (required, 1)),
        appending((log_id, 2), (required, 0)),
    ] {
        let refused = append(&app, appends).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { .. })),
            "{refused:?}"
        );
    }
    let mut connection = PgConnection::connect_with(&connect).await.unwrap();
    for statement in [
        format!("delete from {schema}.events"),
        format!("select {schema}.release_claims(array['{log_id}'::uuid], array[2::bigint])"),
        format!("select {schema}.release_claims(array['{required}'::uuid], array[1::bigint])"),
    ] {
        let refused = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement)));
        assert!(refused.await.is_err());
    }
    assert_eq!(length(&store, log_id).await, 3);
    assert_eq!(length(&store, required).await, 2);
    let revoke = format!("drop owned by {role}; drop role {role}");
    app.close().await;
    drop(connection);
    owner
        .execute(sqlx::raw_sql(AssertSqlSafe(revoke)))
        .await
        .unwrap();
}

/// If the table keeps its rows from being deleted, a write that requires a log fails, and leaves nothing behind.
#[tokio::test]
async fn a_place_that_cannot_be_given_back_is_an_error() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let (log_id, required) = (captured(&manager).await, captured(&manager).await);
    store
        .execute(
            "create function keep() returns trigger language plpgsql as $$ begin return null; end $$;
             create trigger keep before delete on events for each row execute function keep()",
        )
        .await;
    let refused = append(&store.store, appending((log_id, 1), (required, 1))).await;
    assert!(
        matches!(
            refused,
            Err(AppendError::Store(StoreError::Database { .. }))
        ),
        "{refused:?}"
    );
    let mut connection = store.connection().await;
    let events = count(&mut connection, "select count(*) from events").await;
    assert_eq!(events, 4);
    let none = AppendOptions::default();
    let across = Appends::new()
        .append(LogState::at(log_id, 1), [refund(1)])
        .append(LogState::at(required, 1), [refund(1)]);
    manager
        .append_across(across, &none)
        .await
        .expect("nothing has to be given back");
}

/// A write waits for an open transaction that appends to a log that it requires, and then knows whether the log has moved.
#[tokio::test]
async fn a_requirement_waits_for_an_open_transaction() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    for commits in [true, false] {
        let (log_id, required) = (captured(&manager).await, captured(&manager).await);
        let mut connection = store.connection().await;
        let mut watcher = store.connection().await;
        let own = session(&mut connection).await;
        let mut transaction = connection.begin().await.unwrap();
        let none = AppendOptions::default();
        let state = LogState::at(required, 1);
        store
            .store
            .append_in(&mut transaction, state, &[refund(1)], &none)
            .await
            .unwrap();
        let (answer, ()) = tokio::join!(
            append(&store.store, appending((log_id, 1), (required, 1))),
            async {
                until_blocked(own, &mut watcher).await;
                if commits {
                    transaction.commit().await.unwrap();
                } else {
                    transaction.rollback().await.unwrap();
                }
            }
        );
        if commits {
            assert!(
                matches!(answer, Err(AppendError::Conflict { log_id, event_index: 2 }) if log_id == required),
                "{answer:?}"
            );
        } else {
            answer.expect("the log has not moved");
        }
        assert_eq!(length(&store, log_id).await, 2 + u64::from(!commits));
        assert_eq!(length(&store, required).await, 2 + u64::from(commits));
    }
}

/// An append to a log waits for a write that requires it, and then happens: the place is free again.
#[tokio::test]
async fn an_append_waits_for_a_write_that_requires_its_log() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let required = captured(&manager).await;
    let mut connection = store.connection().await;
    let mut watcher = store.connection().await;
    let own = session(&mut connection).await;
    // What a write does in one statement, in a transaction that stays open.
    let claim = format!(
        "insert into events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, kind)
         values ('{required}', 2, gen_random_uuid(), '', 0, 0, '', '-infinity', 0);
         select release_claims(array['{required}'::uuid], array[2::bigint])"
    );
    let mut transaction = connection.begin().await.unwrap();
    transaction
        .execute(sqlx::raw_sql(AssertSqlSafe(claim)))
        .await
        .unwrap();
    let none = AppendOptions::default();
    let event = refund(7);
    let (answer, ()) = tokio::join!(
        manager.append(LogState::at(required, 1), &event, &none),
        async {
            until_blocked(own, &mut watcher).await;
            transaction.commit().await.unwrap();
        }
    );
    answer.expect("the log has not moved");
    let payment = manager.reduce(&required).await.unwrap();
    assert_eq!(payment.aggregate().refunded, 7);
}

/// Writes to several logs share a statement, also if each builds on the one before and they require what others have written.
#[tokio::test]
async fn writes_to_several_logs_share_statements() {
    const STATEMENTS: &str = "select count(distinct tx) from events where event_index > 1";
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let mut logs = Vec::new();
    for _ in 0..60 {
        logs.push(captured(&manager).await);
    }
    let pairs = logs.chunks(2).map(|pair| {
        let appends = Appends::new()
            .append(LogState::at(pair[0], 1), [refund(1), refund(2)])
            .append(LogState::at(pair[1], 1), [refund(3)])
            .require_absent::<PaymentEvent>(LogId::new());
        append(&store.store, appends)
    });
    for answer in join_all(pairs).await {
        answer.unwrap();
    }
    let mut connection = store.connection().await;
    let statements = count(&mut connection, STATEMENTS).await;
    assert!(statements <= 6, "{statements} statements for 30 writes");

    // A chain of transfers on two logs. Each requires a third log, at the end of the transfer before.
    let mut ends: Vec<LogPosition> = Vec::new();
    for log_id in &logs[..3] {
        let end = EventStore::<PaymentEvent>::ends(&store.store, &[*log_id]).await;
        ends.push(end.unwrap()[0].unwrap());
    }
    let mut requests = Vec::new();
    for transfer in 0..60 {
        let (from, to, required) = (transfer % 3, (transfer + 1) % 3, (transfer + 2) % 3);
        let appends = Appends::new()
            .append(ends[from], [refund(1)])
            .append(ends[to], [refund(1)])
            .require::<PaymentEvent>(ends[required]);
        let request = AppendAcrossRequest::new(appends);
        let states = request.states_after();
        (ends[from], ends[to]) = (states[0], states[1]);
        requests.push(request);
    }
    let before = count(&mut connection, STATEMENTS).await;
    let writes = requests
        .into_iter()
        .map(|request| EventStore::<PaymentEvent>::append_across(&store.store, request));
    for answer in join_all(writes).await {
        answer.expect("each builds on the one before");
    }
    let statements = count(&mut connection, STATEMENTS).await - before;
    assert!(statements <= 6, "{statements} statements for 60 writes");
    for end in ends {
        assert_eq!(length(&store, end.log_id()).await, end.index() + 1);
    }
    let times = "select count(*) from (
                     select recorded_at < lag(recorded_at) over (partition by log_id order by event_index) as falls from events) e
                 where falls";
    assert_eq!(count(&mut connection, times).await, 0);
}

/// Two processes cannot both write if each requires the log of the other.
#[tokio::test]
async fn of_two_processes_that_require_each_others_log_one_writes() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let other = store.another().await;
    let rounds = join_all((0..40).map(async |_| {
        let (mine, yours) = (captured(&manager).await, captured(&manager).await);
        let answers = tokio::join!(
            append(&store.store, appending((mine, 1), (yours, 1))),
            append(&other, appending((yours, 1), (mine, 1))),
        );
        let (new_mine, new_yours) = (LogId::new(), LogId::new());
        let create = |own: LogId, other: LogId| {
            let appends = Appends::new().create(own, [refund(1)]);
            appends.require_absent::<PaymentEvent>(other)
        };
        let creations = tokio::join!(
            append(&store.store, create(new_mine, new_yours)),
            append(&other, create(new_yours, new_mine)),
        );
        [
            (mine, yours, answers, 4),
            (new_mine, new_yours, creations, 0),
        ]
    }));
    for (mine, yours, answers, before) in rounds.await.into_iter().flatten() {
        let stored = u64::from(answers.0.is_ok()) + u64::from(answers.1.is_ok());
        assert_eq!(stored, 1, "{answers:?}");
        let events = length(&store, mine).await + length(&store, yours).await;
        assert_eq!(events, before + 1);
        let refused = answers.0.err().or(answers.1.err());
        assert!(
            matches!(refused, Some(AppendError::Conflict { .. })),
            "{refused:?}"
        );
    }
}

/// Processes that only require the same logs wait for each other for a moment, and all write.
#[tokio::test]
async fn processes_that_require_the_same_logs_all_write() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    let processes = [
        store.store.clone(),
        store.another().await,
        store.another().await,
    ];
    let required = [captured(&manager).await, captured(&manager).await];
    let tasks = (0..24).map(|number: usize| {
        let (process, manager) = (processes[number % 3].clone(), manager.clone());
        tokio::spawn(async move {
            let log_id = captured(&manager).await;
            for index in 1..20 {
                let appends = appending((log_id, index), (required[number % 2], 1));
                let other = LogState::at(required[1 - number % 2], 1);
                append(&process, appends.require::<PaymentEvent>(other))
                    .await
                    .expect("nobody moves the logs");
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
}

/// A write that is stored stays a success if its answer is lost, although a log that it required has moved since.
#[tokio::test]
async fn a_lost_answer_is_found_again_after_a_required_log_has_moved() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let required = captured(&manager).await;
    // With the commit of a write to another log, the required log moves.
    let schema = &store.options.schema;
    let moves = format!(
        "create function {schema}.move() returns trigger language plpgsql as $$
         begin
             insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, kind)
             select log_id, (select max(event_index) + 1 from {schema}.events where log_id = '{required}'), gen_random_uuid(),
                    event_type, event_version, codec, payload, recorded_at, kind
             from {schema}.events where log_id = '{required}' and event_index = 1;
             return null;
         end $$;
         create constraint trigger move after insert on {schema}.events deferrable initially deferred for each row
         when (new.log_id <> '{required}' and new.event_index = 2) execute function {schema}.move()"
    );
    let mut owner = store.connection().await;
    owner
        .execute(sqlx::raw_sql(AssertSqlSafe(moves)))
        .await
        .unwrap();
    for round in 0..10 {
        let log_id = captured(&manager).await;
        let lost = proxy.lost_answers();
        proxy.lose_next_answer();
        let appends = appending((log_id, 1), (required, 1 + round));
        let states = manager
            .append_across(appends, &AppendOptions::default())
            .await
            .expect("the library finds out the outcome");
        assert_eq!(states.len(), 1);
        assert!(proxy.lost_answers() > lost);
        assert_eq!(length(&store, required).await, 3 + round);
        assert_eq!(length(&store, log_id).await, 3);
        let again = appending((log_id, 2), (required, 1 + round));
        let refused = manager.append_across(again, AppendOptions::NONE).await;
        assert!(
            matches!(refused, Err(LogManagerError::ConcurrentAppend { log_id, .. }) if log_id == required),
            "{refused:?}"
        );
    }
}

/// A write that the server cannot store fails those that build on it, and no others, although they are stored together.
#[tokio::test]
async fn a_write_that_fails_harms_only_those_that_build_on_it() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let manager = payments(store.store.clone());
    store
        .execute(
            "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
             create trigger refuse before insert on events for each row
             when (new.event_type = 'payment.voided') execute function refuse()",
        )
        .await;
    for _ in 0..5 {
        let mut ends = Vec::new();
        for _ in 0..4 {
            let log_id = captured(&manager).await;
            let end = EventStore::<PaymentEvent>::ends(&store.store, &[log_id]).await;
            ends.push(end.unwrap()[0].unwrap());
        }
        let request = |parts: &[(LogPosition, PaymentEvent)]| {
            let parts: Vec<_> = parts
                .iter()
                .map(|(log, event)| (*log, [event.clone()]))
                .collect();
            let request = AppendAcrossRequest::new(parts.into());
            let states = request.states_after();
            (request, states)
        };
        // A write that is sent before the others are queued.
        let (first, states) = request(&[(ends[3], refund(1))]);
        let end = states[0];
        let (good, states) = request(&[(ends[0], refund(1)), (ends[1], refund(1))]);
        let [one, other] = states[..] else {
            panic!("two logs");
        };
        let (bad, states) = request(&[(one, PaymentEvent::Voided), (ends[2], refund(1))]);
        let (builds_on_bad, _) = request(&[(states[0], refund(1))]);
        let (builds_on_good, states) = request(&[(other, refund(1)), (end, refund(1))]);
        let (last, _) = request(&[(states[0], refund(1))]);
        let requests = [first, good, bad, builds_on_bad, builds_on_good, last];
        let writes = requests
            .map(|request| EventStore::<PaymentEvent>::append_across(&store.store, request));
        let answers = join_all(writes).await;
        let is_stored: Vec<_> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(
            is_stored,
            [true, true, false, false, true, true],
            "{answers:?}"
        );
        assert!(
            matches!(
                &answers[2],
                Err(AppendError::Store(StoreError::Database { .. }))
            ),
            "{answers:?}"
        );
        assert!(
            matches!(answers[3], Err(AppendError::Conflict { log_id, .. }) if log_id == one.log_id()),
            "{answers:?}"
        );
        for (log, events) in ends.iter().zip([3, 5, 2, 4]) {
            assert_eq!(length(&store, log.log_id()).await, events);
        }
    }
}
