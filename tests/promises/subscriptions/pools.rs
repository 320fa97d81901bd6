//! Few connections, connections of the user, and a pooler.

use super::stage::{LEASE, PATIENCE, Stage};
use super::totals::TOTALS;
use crate::servers::PgBouncer;
use eventlogs::subscriptions::{SubscriptionOptions, Subscriptions};
use eventlogs::{FeedEvent, HandlerError, Pooler, PostgresEventStore, PostgresOptions, Projection};
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

#[tokio::test]
async fn sums_are_right_behind_a_pooler() {
    let (Some(mut stage), Some(bouncer)) = (
        Stage::set(3).await,
        PgBouncer::start(&["pool_mode = transaction", "default_pool_size = 4"]).await,
    ) else {
        return;
    };
    let options = PostgresOptions {
        pooler: Pooler::Transaction,
        ..stage.server.options.clone()
    };
    let store = PostgresEventStore::connect_with(bouncer.connect(), options);
    let store = store.await.unwrap();
    let running = stage.start(&store).await;
    for _ in 0..10 {
        stage.logs.append(&[1, 2, 3]).await;
    }
    stage.check().await;
    running.shutdown().await;
    store.close().await;
}

/// One connection for everything: the handlers, the feed, the checkpoints, and the appends.
#[tokio::test]
async fn sums_are_right_on_a_pool_of_the_user() {
    for connections in [1, 3] {
        let Some(mut stage) = Stage::set(3).await else {
            return;
        };
        let pool = PgPoolOptions::new().max_connections(connections);
        let pool = pool
            .connect_with(stage.server.connect.clone())
            .await
            .unwrap();
        let store = PostgresEventStore::from_pool(pool, stage.server.options.clone());
        let store = store.await.unwrap();
        stage.logs.payments = crate::payments::payments(store.clone());
        let options = SubscriptionOptions {
            partitions: 4,
            ..SubscriptionOptions::default()
        };
        let subscriptions = Subscriptions::new(&store).lease(LEASE);
        let subscriptions = subscriptions.projection_with(stage.totals(), options);
        let running = subscriptions.start().await.unwrap();
        for _ in 0..10 {
            stage.logs.append(&[1, 2, 3]).await;
        }
        stage.check().await;
        // The connections go back as they came.
        running.shutdown().await;
        store.close().await;
    }
}

/// Counts events, under one of many names.
struct Many<const N: usize>;

const NAMES: [&str; 12] = [
    "many_a", "many_b", "many_c", "many_d", "many_e", "many_f", "many_g", "many_h", "many_i",
    "many_j", "many_k", "many_l",
];

impl<const N: usize> Projection for Many<N> {
    type Database = eventlogs::projection::Postgres;

    const NAME: &'static str = NAMES[N];

    const SOURCES: &'static [eventlogs::feed::Source] = &[eventlogs::feed::Source::new::<
        crate::payments::PaymentEvent,
    >(eventlogs::feed::Interest::All)];

    fn fingerprint() -> u64 {
        1
    }

    async fn apply(&self, _: &FeedEvent, db: &mut sqlx::PgConnection) -> Result<(), HandlerError> {
        let slow = sqlx::query("select pg_sleep(0.005)").execute(db).await;
        slow.map(|_| ()).map_err(|error| HandlerError::Failed {
            source: error.into(),
        })
    }
}

/// More subscriptions than connections: all of them come to the end, and other work is not held up.
#[tokio::test]
async fn many_subscriptions_share_few_connections() {
    let Some(mut stage) = Stage::set(4).await else {
        return;
    };
    let options = PostgresOptions {
        max_connections: 2,
        timeout: Duration::from_secs(20),
        ..stage.server.options.clone()
    };
    let store = PostgresEventStore::connect_with(stage.server.connect.clone(), options);
    let store = store.await.unwrap();
    macro_rules! all {
        ($($number:literal)*) => {
            Subscriptions::new(&store).projection(stage.totals())$(.projection(Many::<$number>))*
        };
    }
    let running = all!(0 1 2 3 4 5 6 7 8 9 10 11).start().await.unwrap();
    for _ in 0..5 {
        stage.logs.append(&[1, 2]).await;
        for state in stage.logs.states.clone() {
            for name in NAMES.into_iter().chain([TOTALS]) {
                let settled = running.wait_for(name, state, PATIENCE);
                settled
                    .await
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    let status = running.status().await.unwrap();
    assert_eq!(status.len(), 13);
    for status in status {
        assert_eq!(status.partitions[0].settled, 44, "{status:?}");
    }
    stage.check().await;
    running.shutdown().await;
    store.close().await;
}
