//! Real tasks on several threads, and a check of their results against the stored events.

mod checker;
mod faults;
mod history;
mod load;
pub(crate) mod random;
mod recorder;

use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::SqliteEventStore;
use eventlogs::stores::fake::FakeEventStore;
use load::{Load, work};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_the_fake() {
    for load in Load::several(60) {
        let store = FakeEventStore::new();
        let stores = [store.clone(), store.clone(), store.clone()];
        work(stores, load).await.verify(store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_sqlite_with_one_writer() {
    for load in Load::several(60) {
        let file = TemporaryStore::open().await;
        let store = || file.store.clone();
        let worked = work([store(), store(), store()], load).await;
        file.store.close().await;
        let reader = SqliteEventStore::open(file.path()).await.unwrap();
        worked.verify(reader).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_sqlite_with_a_writer_each() {
    for load in Load::several(60) {
        let file = TemporaryStore::open().await;
        let other = SqliteEventStore::open(file.path()).await.unwrap();
        let stores = [file.store.clone(), file.store.clone(), other.clone()];
        let worked = work(stores, load).await;
        file.store.close().await;
        other.close().await;
        let reader = SqliteEventStore::open(file.path()).await.unwrap();
        worked.verify(reader).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_postgres_with_one_writer() {
    for load in Load::several(60) {
        let Some(server) = TestStore::new().await else {
            return;
        };
        let store = || server.store.clone();
        let worked = work([store(), store(), store()], load).await;
        server.store.close().await;
        worked.verify(server.another().await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_true_on_postgres_with_a_writer_each() {
    for load in Load::several(60) {
        let Some(server) = TestStore::new().await else {
            return;
        };
        let other = server.another().await;
        let stores = [server.store.clone(), server.store.clone(), other.clone()];
        let worked = work(stores, load).await;
        server.store.close().await;
        other.close().await;
        worked.verify(server.another().await).await;
    }
}
