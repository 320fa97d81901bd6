//! A store together with what it needs.

use eventlogs::feed::{Commits, FeedHead, FeedHold, FeedPage, FeedRequest, Wanted};
use eventlogs::ids::LogId;
use eventlogs::stores::{
    AppendAcrossRequest, AppendError, AppendRequest, Appended, EventFold, IdempotencyKey,
    ListRequest, LogList, Newest, Page, ReadError, ReadRequest, Replay, StoreError, StoreId,
};
use eventlogs::{Cursor, Event, EventFeed, EventStore, FeedError, FeedEvent, LogPosition};
use std::any::Any;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A store, and a server or a folder that ends with its last clone.
#[derive(Clone)]
pub(crate) struct Kept<S> {
    store: S,
    _needed: Arc<dyn Any + Send + Sync>,
}

impl<S> Kept<S> {
    pub(crate) fn new(store: S, needed: impl Any + Send + Sync) -> Self {
        Self {
            store,
            _needed: Arc::new(needed),
        }
    }
}

impl<E: Event, S: EventStore<E> + Clone> EventStore<E> for Kept<S> {
    async fn append(&self, request: AppendRequest<'_, E>) -> Result<Appended<E>, AppendError> {
        self.store.append(request).await
    }

    async fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> Result<Vec<LogPosition>, AppendError> {
        self.store.append_across(request).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page<E>, ReadError> {
        self.store.read(request).await
    }

    async fn fold(&self, fold: &mut dyn EventFold<E>) -> Result<(), ReadError> {
        self.store.fold(fold).await
    }

    async fn fold_all(&self, folds: &mut [&mut dyn EventFold<E>]) -> Vec<Result<(), ReadError>> {
        self.store.fold_all(folds).await
    }

    async fn newest(&self, log_id: LogId, most: usize) -> Result<Newest<E>, StoreError> {
        self.store.newest(log_id, most).await
    }

    async fn ends(&self, log_ids: &[LogId]) -> Result<Vec<Option<LogPosition>>, StoreError> {
        self.store.ends(log_ids).await
    }

    fn store_id(&self) -> StoreId {
        self.store.store_id()
    }

    fn store_name(&self) -> &'static str {
        self.store.store_name()
    }

    async fn list(&self, request: ListRequest) -> Result<LogList<E>, StoreError> {
        self.store.list(request).await
    }

    async fn find_key(&self, key: IdempotencyKey<'_>) -> Result<Vec<Replay>, StoreError> {
        self.store.find_key(key).await
    }

    async fn prune_idempotency_keys(&self, older_than: Duration) -> Result<u64, StoreError> {
        self.store.prune_idempotency_keys(older_than).await
    }
}

impl<S: EventFeed> EventFeed for Kept<S> {
    async fn head(&self) -> Result<FeedHead, StoreError> {
        self.store.head().await
    }

    async fn read_feed(&self, request: FeedRequest<'_>) -> Result<FeedPage, FeedError> {
        self.store.read_feed(request).await
    }

    async fn read_gap(
        &self,
        log_id: LogId,
        indices: Range<u64>,
        wanted: &Wanted,
    ) -> Result<Vec<FeedEvent>, StoreError> {
        self.store.read_gap(log_id, indices, wanted).await
    }

    async fn find_place(&self, log_id: LogId, index: u64) -> Result<Option<Cursor>, StoreError> {
        self.store.find_place(log_id, index).await
    }

    async fn feed_hold(&self) -> Result<Option<FeedHold>, StoreError> {
        self.store.feed_hold().await
    }

    fn commits(&self) -> Commits {
        self.store.commits()
    }
}
