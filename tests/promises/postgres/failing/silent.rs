//! Connections on which nothing arrives any more, although neither side closed them.

use crate::payments::{Payment, PaymentEvent, captured, payments, refund};
use crate::postgres::TestStore;
use crate::proxy::Proxy;
use eventlogs::ids::LogId;
use eventlogs::{AppendOptions, LogManager, LogState, PostgresEventStore, PostgresOptions};
use futures_util::future::join_all;
use sqlx::postgres::PgPoolOptions;
use std::time::{Duration, Instant};

/// The timeout of the stores in this file. A silent connection is given up after a quarter of it.
const TIMEOUT: Duration = Duration::from_secs(8);
/// The maximum cost of one silence, with room for a slow machine: far less than the timeout.
const A_FRACTION: Duration = Duration::from_secs(5);

/// Checks that some work takes only a fraction of the timeout.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    assert!(
        begun.elapsed() < A_FRACTION,
        "{what} took {:?}",
        begun.elapsed()
    );
    done
}

#[tokio::test]
async fn a_silent_connection_costs_a_fraction_of_the_timeout() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(TIMEOUT).await;
    let manager = payments(behind.clone());
    let log_id = captured(&manager).await;
    manager.load(&log_id, 0, 10).await.unwrap();
    let mut state = LogState::at(log_id, 1);
    for _ in 0..2 {
        proxy.silence_all();
        let options = AppendOptions::default();
        state = soon("a write", manager.append(state, &refund(1), &options))
            .await
            .expect("the event is written over a new connection");
        proxy.silence_all();
        let read = soon("a read", manager.load(&log_id, 0, 10)).await;
        assert_eq!(read.unwrap().len() as u64, state.index() + 1);
        proxy.silence_all();
        let prune = behind.prune_idempotency_keys(Duration::from_secs(1_000));
        soon("pruning", prune).await.unwrap();
    }
}

/// The server has carried out the request, but its response never arrives.
#[tokio::test]
async fn a_write_whose_answer_is_swallowed_is_found() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(TIMEOUT).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    let mut state = LogState::at(log_id, 1);
    for round in 1..4 {
        let options = AppendOptions {
            idempotency_key: (round % 2 == 0).then(|| format!("{log_id}-{round}")),
            ..AppendOptions::default()
        };
        // Once more, so that the connection has the statement prepared.
        let before = PaymentEvent::Captured { amount: round };
        state = manager
            .append(state, &before, &AppendOptions::default())
            .await
            .unwrap();
        proxy.swallow_next_answer();
        state = soon("a write", manager.append(state, &refund(1), &options))
            .await
            .expect("the library finds out the outcome");
        assert_eq!(proxy.lost_answers(), round);
        let payment = manager.reduce(&log_id).await.unwrap();
        assert_eq!(payment.aggregate().refunded, round, "each event once");
    }
}

/// Twelve idle connections: their server goes away silently, and another one takes over its address.
#[tokio::test]
async fn after_a_silent_fail_over_one_silence_is_paid_for_not_one_for_each_connection() {
    let Some(mut store) = TestStore::new().await else {
        return;
    };
    store.options.max_connections = 12;
    let (proxy, behind) = store.through_proxy(TIMEOUT).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    fail_over(&proxy, &manager, &log_id, 12).await;
}

/// A pool of the user recovers as fast.
#[tokio::test]
async fn a_users_pool_recovers_as_soon_from_a_silent_fail_over() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    for size in [1, 8] {
        let (proxy, _) = store.through_proxy(TIMEOUT).await;
        let connect = store.connect.clone().host("127.0.0.1");
        let connect = connect.port(proxy.address.port());
        let pool = PgPoolOptions::new().max_connections(size);
        let pool = pool.connect_lazy_with(connect);
        let options = PostgresOptions {
            timeout: TIMEOUT,
            ..store.options.clone()
        };
        let behind = PostgresEventStore::from_pool(pool, options).await.unwrap();
        let manager = payments(behind);
        let log_id = captured(&manager).await;
        fail_over(&proxy, &manager, &log_id, size as usize).await;
    }
}

async fn fail_over(proxy: &Proxy, manager: &LogManager<Payment>, log_id: &LogId, resting: usize) {
    let before = proxy.connections();
    proxy.slow(true);
    // A page that is not read together with others, so each read has a connection of its own.
    for read in join_all((0..resting).map(|_| manager.load(log_id, 0, 100))).await {
        read.unwrap();
    }
    proxy.slow(false);
    // A pool pings its connections before they become idle.
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Some may have been idle before.
    assert!(proxy.connections() + 3 >= before + resting as u64);
    proxy.silence_all();
    let all_recovered = async {
        for _ in 0..=resting {
            manager
                .load(log_id, 0, 100)
                .await
                .expect("no read reports the silence");
        }
        let options = AppendOptions::default();
        let state = LogState::at(*log_id, 1);
        manager.append(state, &refund(1), &options).await.unwrap();
    };
    soon("all reads", all_recovered).await;
}

/// The address leads nowhere for a while: connection attempts are accepted, but never answered.
#[tokio::test]
async fn a_server_that_takes_a_while_to_take_over_is_waited_for() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = store.through_proxy(Duration::from_secs(20)).await;
    let manager = payments(behind);
    let log_id = captured(&manager).await;
    manager.load(&log_id, 0, 10).await.unwrap();
    proxy.silence_all();
    proxy.mute_new(true);
    let options = AppendOptions::default();
    let state = LogState::at(log_id, 1);
    let refund = refund(1);
    let (written, read, ()) = tokio::join!(
        manager.append(state, &refund, &options),
        manager.load(&log_id, 0, 10),
        async {
            tokio::time::sleep(Duration::from_secs(6)).await;
            proxy.mute_new(false);
        }
    );
    written.expect("the event is written once the server is back");
    read.expect("the log is read once the server is back");
    assert_eq!(
        manager.reduce(&log_id).await.unwrap().aggregate().refunded,
        1
    );
}
