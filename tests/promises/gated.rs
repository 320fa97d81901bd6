//! A store that supports decisions on writes in flight, and writes only when a test allows it.

use crate::payments::PaymentEvent;
use chrono::{DateTime, Utc};
use eventlogs::ids::LogId;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendObserver, AppendRequest, Appended, IdempotencyKey,
    ListRequest, LogList, Page, ReadError, ReadRequest, Replay, StoreError, StoreId,
};
use eventlogs::{EventStore, LogPosition, RecordedEvent};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// Takes appends in the order of their arrival, and reports each as queued at once. It writes one after the other while the
/// gate is open, except those that are to fail.
#[derive(Clone)]
pub(crate) struct Gated {
    pub(crate) inner: FakeEventStore<PaymentEvent>,
    shared: Arc<Shared>,
}

struct Shared {
    /// Serialises the writes. The lock is fair, so the order of arrival is the order of writing.
    turn: Mutex<()>,
    gate: watch::Sender<bool>,
    /// `true` while results are returned to the callers. Until then, written events are visible to readers all the same.
    answers: watch::Sender<bool>,
    /// The number of next appends that fail.
    failing: AtomicU32,
    /// The number of next appends whose result is lost.
    forgetting: AtomicU32,
}

impl Gated {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            turn: Mutex::new(()),
            gate: watch::Sender::new(true),
            answers: watch::Sender::new(true),
            failing: AtomicU32::new(0),
            forgetting: AtomicU32::new(0),
        };
        Self {
            inner: FakeEventStore::new(),
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn open(&self) {
        self.shared.gate.send_replace(true);
    }

    pub(crate) fn close(&self) {
        self.shared.gate.send_replace(false);
    }

    /// Holds back the results of later writes, or releases them.
    pub(crate) fn hold_answers(&self, hold: bool) {
        self.shared.answers.send_replace(!hold);
    }

    /// Makes the next appends fail without writing anything.
    pub(crate) fn fail_next(&self, appends: u32) {
        self.shared.failing.store(appends, Ordering::SeqCst);
    }

    /// Loses the results of the next appends, which are written.
    pub(crate) fn forget_next(&self, appends: u32) {
        self.shared.forgetting.store(appends, Ordering::SeqCst);
    }

    async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        let turn = self.shared.turn.lock().await;
        let mut gate = self.shared.gate.subscribe();
        gate.wait_for(|open| *open)
            .await
            .expect("the sender is in this store");
        turn
    }
}

/// Counts down by one; returns `false` at zero.
fn one_less(count: &AtomicU32) -> bool {
    let one_less = |count: u32| count.checked_sub(1);
    let counted = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
    counted.is_ok()
}

/// Reports the outcome of an append to its observer, even if the append is dropped.
struct Telling(Option<Arc<dyn AppendObserver<PaymentEvent>>>);

impl Telling {
    fn queued(request: &AppendRequest<'_, PaymentEvent>) -> Self {
        if let Some(observer) = &request.observer {
            let metadata = Arc::new(request.context.metadata.clone());
            let records = request.events.iter().zip(&request.event_ids);
            let records = records.zip(request.first_index()..);
            let records = records.map(|((event, id), index)| {
                // A time that differs from any time that is recorded in the end.
                let guess = DateTime::UNIX_EPOCH;
                RecordedEvent::new(request.log_id, index, *id, event.clone(), guess)
                    .with_occurred_at(request.context.occurred_at)
                    .with_metadata(Arc::clone(&metadata))
            });
            observer.queued(records.collect());
        }
        Self(request.observer.clone())
    }

    fn settled(mut self, recorded_at: Option<DateTime<Utc>>) {
        if let Some(observer) = self.0.take() {
            observer.settled(recorded_at);
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some(observer) = self.0.take() {
            observer.settled(None);
        }
    }
}

impl EventStore<PaymentEvent> for Gated {
    async fn append(
        &self,
        request: AppendRequest<'_, PaymentEvent>,
    ) -> Result<Appended<PaymentEvent>, AppendError> {
        let telling = Telling::queued(&request);
        let _turn = self.turn().await;
        if one_less(&self.shared.failing) {
            telling.settled(None);
            return Err(StoreError::Overloaded.into());
        }
        let appended = self.inner.append(request).await;
        let mut answers = self.shared.answers.subscribe();
        let free = answers.wait_for(|free| *free).await;
        drop(free.expect("the sender is in this store"));
        if one_less(&self.shared.forgetting) {
            telling.settled(None);
            return Err(StoreError::OutcomeUnknown { source: None }.into());
        }
        telling.settled(appended.as_ref().ok().map(|appended| appended.recorded_at));
        appended
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        let _turn = self.turn().await;
        self.inner.append_across(request).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<PaymentEvent>, ReadError> {
        self.inner.read(request).await
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        self.inner.ends(log_ids).await
    }

    fn store_id(&self) -> StoreId {
        self.inner.store_id()
    }

    fn store_name(&self) -> &'static str {
        self.inner.store_name()
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<PaymentEvent>, StoreError> {
        self.inner.list(request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        self.inner.find_key(key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.inner.prune_idempotency_keys(older_than).await
    }
}

/// Returns the events of a log that are stored, without waiting for the gate.
pub(crate) async fn stored(store: &Gated, log_id: LogId) -> Vec<RecordedEvent<PaymentEvent>> {
    let start = eventlogs::stores::ReadStart::Index(0);
    let page = store.inner.read(ReadRequest::new(log_id, start, 1_000_000));
    page.await.expect("the fake store can be read").records
}
