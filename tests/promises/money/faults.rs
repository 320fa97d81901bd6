//! Transfers over connections that break, on a server that ends, and behind PgBouncer.

use super::accounts::{Bank, accounts};
use super::audit::check;
use super::clients::{CLIENTS, soak};
use crate::model::effort;
use crate::postgres::TestStore;
use crate::servers::{PgBouncer, PrivatePostgres};
use eventlogs::{Pooler, PostgresEventStore, PostgresOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// The clients go on until the faults have happened.
#[derive(Clone, Default)]
struct Over(Arc<AtomicBool>);

impl Over {
    fn more(&self) -> impl Fn(u64) -> bool + Clone + Send + 'static {
        let over = Arc::clone(&self.0);
        move |_| !over.load(Ordering::SeqCst)
    }

    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transfers_survive_lost_answers() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let (proxy, behind) = server.through_proxy(Duration::from_secs(10)).await;
    let managers = [accounts(behind), accounts(server.store.clone())];
    let bank = Bank::opened(&managers[1], "lost answers").await;
    let over = Over::default();
    let lost = u64::from(effort::scaled(25));
    let faults = async {
        while proxy.lost_answers() < lost {
            proxy.lose_next_answer();
            sleep(Duration::from_millis(20 + proxy.lost_answers() % 13)).await;
        }
        over.set();
    };
    let (told, ()) = tokio::join!(soak(&managers, &bank, 0..2 * CLIENTS, over.more()), faults);
    assert!(told.len() > 20, "{} answers", told.len());
    check(&managers[1], &bank, &told).await;
}

/// The server crashes, and is then stopped and comes back as a standby that is promoted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transfers_survive_crashes_and_promotions() {
    let Some(mut server) = PrivatePostgres::start(&["max_connections=60"]).await else {
        return;
    };
    let mut managers = Vec::new();
    for _ in 0..2 {
        let store = PostgresEventStore::connect(&server.url()).await.unwrap();
        store.migrate().await.unwrap();
        managers.push(accounts(store));
    }
    let bank = Bank::opened(&managers[0], "crashes").await;
    let over = Over::default();
    let faults = async {
        for _ in 0..effort::scaled(1) {
            sleep(Duration::from_millis(300)).await;
            server.crash();
            server.restart().await;
            sleep(Duration::from_millis(300)).await;
            server.restart_as_standby().await;
            sleep(Duration::from_millis(100)).await;
            let connect: PgConnectOptions = server.url().parse().unwrap();
            let mut connection = connect.connect().await.unwrap();
            connection.execute("select pg_promote()").await.unwrap();
        }
        sleep(Duration::from_millis(300)).await;
        over.set();
    };
    let (told, ()) = tokio::join!(soak(&managers, &bank, 0..2 * CLIENTS, over.more()), faults);
    assert!(told.len() > 20, "{} answers", told.len());
    check(&managers[0], &bank, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transfers_work_behind_pgbouncer_in_transaction_mode() {
    let Some(server) = TestStore::new().await else {
        return;
    };
    let lines = ["pool_mode = transaction", "default_pool_size = 4"];
    let Some(bouncer) = PgBouncer::start(&lines).await else {
        return;
    };
    let options = PostgresOptions {
        pooler: Pooler::Transaction,
        ..server.options.clone()
    };
    let mut managers = Vec::new();
    for _ in 0..2 {
        let store = PostgresEventStore::connect_with(bouncer.connect(), options.clone()).await;
        managers.push(accounts(store.expect("PgBouncer accepts the connection")));
    }
    let bank = Bank::opened(&managers[0], "bouncer").await;
    let transfers = u64::from(effort::scaled(25));
    let told = soak(&managers, &bank, 0..2 * CLIENTS, move |nth| nth < transfers).await;
    assert_eq!(told.len() as u64, 2 * CLIENTS * transfers);
    check(&accounts(server.store), &bank, &told).await;
}
