//! The load while connections break, so that responses get lost.

use super::load::{Load, work};
use super::random::Random;
use crate::postgres::TestStore;
use crate::proxy::Proxy;
use eventlogs::{PostgresEventStore, PostgresOptions};
use sqlx::{ConnectOptions, PgConnection};
use std::time::Duration;
use tokio::time::sleep;

/// Ends the sessions with a name now and then, in the middle of any operation. Never returns.
async fn end_sessions(connection: &mut PgConnection, name: &str, mut random: Random) {
    loop {
        sleep(Duration::from_millis(200 + random.below(600))).await;
        // Selected by name, since other tests use the same server.
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = $1 and pid <> pg_backend_pid() and random() < 0.7",
        )
        .bind(name)
        .execute(&mut *connection)
        .await
        .expect("a role may end its own sessions");
    }
}

/// Lets the server carry out a request, and cuts the connection instead of forwarding the response. Never returns.
async fn lose_answers(proxy: &Proxy, mut random: Random) {
    loop {
        sleep(Duration::from_millis(100 + random.below(400))).await;
        proxy.lose_next_answer();
    }
}

/// Waits until the server has no session with this name any more, so that nothing of them can still take effect.
async fn all_ended(connection: &mut PgConnection, name: &str) {
    let count = "select count(*) from pg_stat_activity where application_name = $1";
    loop {
        let sessions = sqlx::query_scalar(count).bind(name);
        let left: i64 = sessions.fetch_one(&mut *connection).await.unwrap();
        if left == 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_while_connections_break() {
    for load in Load::several(40) {
        if let Some(server) = TestStore::new().await {
            disturb(server, load.disturbed()).await;
        }
    }
}

async fn disturb(server: TestStore, load: Load) {
    let name = format!("disturbed {:x}", load.seed);
    let named = server.connect.clone().application_name(&name);
    let proxy = Proxy::in_front_of((named.get_host().to_owned(), named.get_port())).await;
    let behind = named.clone().host("127.0.0.1").port(proxy.address.port());
    // The store gives up before it knows the outcome of a write.
    let impatient = PostgresOptions {
        timeout: Duration::from_millis(700),
        ..server.options.clone()
    };
    let direct = PostgresEventStore::connect_with(named, server.options.clone());
    let direct = direct.await.unwrap();
    let indirect = PostgresEventStore::connect_with(behind, impatient);
    let indirect = indirect.await.unwrap();

    let mut connection = server.connect.connect().await.unwrap();
    let stores = [direct.clone(), direct.clone(), indirect.clone()];
    let worked = tokio::select! {
        worked = work(stores, load) => worked,
        () = end_sessions(&mut connection, &name, Random::new(load.seed, 1_000)) => unreachable!("it never ends"),
        () = lose_answers(&proxy, Random::new(load.seed, 1_001)) => unreachable!("it never ends"),
    };
    assert!(proxy.lost_answers() > 0, "responses were lost");
    let mut connection = server.connect.connect().await.unwrap();
    direct.close().await;
    indirect.close().await;
    all_ended(&mut connection, &name).await;
    worked.verify(server.store).await;
}
