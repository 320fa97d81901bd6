//! Connections that break while handlers write, and answers that are lost.

use super::stage::{LEASE, Stage};
use super::totals::TOTALS;
use eventlogs::subscriptions::SubscriptionOptions;
use sqlx::{Executor, Row};
use std::time::Duration;

/// The answer of every statement can be the lost one, that of the commit included.
#[tokio::test]
async fn sums_survive_lost_answers() {
    let Some(mut stage) = Stage::set(3).await else {
        return;
    };
    let (proxy, behind) = stage.server.through_proxy(Duration::from_secs(10)).await;
    // Every fifth answer is that of a commit.
    let options = SubscriptionOptions {
        page_size: 1,
        ..SubscriptionOptions::default()
    };
    let running = stage.start_with(&behind, options).await;
    let mut rounds = 0;
    while proxy.lost_answers() < 40 {
        stage.logs.append(&[1, 2, 3]).await;
        tokio::time::sleep(Duration::from_millis(rounds % 13)).await;
        proxy.lose_next_answer();
        rounds += 1;
        assert!(rounds < 1000, "{} answers were lost", proxy.lost_answers());
    }
    stage.check().await;
    running.shutdown().await;
}

/// An answer that never comes, over a connection that stays open.
#[tokio::test]
async fn sums_survive_silent_connections() {
    let Some(mut stage) = Stage::set(3).await else {
        return;
    };
    let (proxy, behind) = stage.server.through_proxy(Duration::from_secs(2)).await;
    // A handler whose connection is silent uses up its time.
    let options = SubscriptionOptions {
        handler_timeout: Duration::from_secs(1),
        ..SubscriptionOptions::default()
    };
    let running = stage.start_with(&behind, options).await;
    for round in 0..3 {
        stage.logs.append(&[1, 2, 3]).await;
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        stage.logs.append(&[1, 2, 3]).await;
        proxy.silence_all();
        stage.logs.append(&[4]).await;
        stage.check().await;
    }
    running.shutdown().await;
}

/// An administrator ends the sessions of the handlers, again and again.
#[tokio::test]
async fn sums_survive_the_end_of_sessions() {
    let Some(mut stage) = Stage::set(3).await else {
        return;
    };
    let running = stage.start(&stage.server.another().await).await;
    let mut other = stage.server.connection().await;
    // The handlers name the tables of this test.
    let end = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where query like '%{}%' and pid <> pg_backend_pid()",
        stage.server.options.schema
    );
    let mut ended = 0;
    for _ in 0..25 {
        stage.logs.append(&[1, 2, 3]).await;
        let end = sqlx::raw_sql(sqlx::AssertSqlSafe(end.clone()));
        ended += other.fetch_all(end).await.unwrap().len();
    }
    assert!(ended > 10, "{ended} sessions were ended");
    stage.check().await;
    running.shutdown().await;
}

/// While nothing passes, another process cannot take over either. Afterwards everything goes on.
#[tokio::test]
async fn a_subscription_survives_a_network_that_is_away() {
    let Some(mut stage) = Stage::set(3).await else {
        return;
    };
    let (proxy, behind) = stage.server.through_proxy(Duration::from_secs(2)).await;
    let running = stage.start(&behind).await;
    stage.check().await;
    proxy.black_hole(true);
    stage.logs.append(&[1, 2]).await;
    // A wait ends in time, whatever the database does.
    let begun = std::time::Instant::now();
    let written = stage.logs.states[0];
    let outcome = running
        .wait_for(TOTALS, written, Duration::from_millis(300))
        .await;
    outcome.expect_err("nothing passes");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    tokio::time::sleep(LEASE * 2).await;
    proxy.black_hole(false);
    stage.check().await;
    let taken_over = stage
        .server
        .connection()
        .await
        .fetch_one("select token from checkpoints")
        .await;
    assert!(taken_over.unwrap().get::<i64, _>(0) >= 1);
    running.shutdown().await;
}
