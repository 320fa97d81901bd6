//! A projection of a release reads what the next release writes.

use crate::needs::domain::{TankEvent, next_year};
use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use eventlogs::ids::LogId;
use eventlogs::projection::ProjectionStore;
use eventlogs::stores::AppendRequest;
use eventlogs::subscriptions::Subscriptions;
use eventlogs::{EventStore, Projection, event_handler};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Ignores names, of which this release accepts version 2. That version may have become a filling.
#[derive(Debug, Clone, Default, Projection)]
#[projection(name = "litres", events(TankEvent), database = elsewhere)]
struct Litres {
    litres: Arc<AtomicU64>,
    events: Arc<AtomicU64>,
}

#[event_handler(TankEvent, ignore(Drained | Painted | Inspected | Moved | Cleaned | Rated | Named))]
impl Litres {
    #[on(Filled)]
    async fn fill(&self, litres: u64) {
        self.litres.fetch_add(litres, Ordering::Relaxed);
        self.events.fetch_add(1, Ordering::Relaxed);
    }
}

async fn followed<S>(store: S)
where
    S: EventStore<TankEvent>
        + EventStore<next_year::TankEvent>
        + ProjectionStore<<Litres as Projection>::Database>
        + Clone,
{
    use next_year::TankEvent as Next;
    let named = |litres| Next::Named {
        name: "north".to_owned(),
        litres,
    };
    let log_id = LogId::new();
    let filled = [TankEvent::Filled { litres: 1 }];
    let created = store.append(AppendRequest::create(log_id, &filled)).await;
    let litres = Litres::default();
    let running = Subscriptions::new(&store)
        .projection(litres.clone())
        .start()
        .await
        .unwrap();
    let newer = [named(0), named(10), Next::Filled { litres: 100 }, named(0)];
    let appended = store.append(AppendRequest::after(created.unwrap().state, &newer));
    let end = appended.await.unwrap().state;
    running
        .wait_for("litres", end, Duration::from_mins(1))
        .await
        .unwrap();
    running.shutdown().await;
    let sums = [&litres.litres, &litres.events].map(|sum| sum.load(Ordering::Relaxed));
    assert_eq!(sums, [111, 3]);
}

#[tokio::test]
async fn a_projection_reads_accepted_versions_on_sqlite() {
    let folder = TemporaryStore::open().await;
    followed(folder.store.clone()).await;
}

#[tokio::test]
async fn a_projection_reads_accepted_versions_on_postgres() {
    if let Some(server) = TestStore::new().await {
        followed(server.store.clone()).await;
    }
}
