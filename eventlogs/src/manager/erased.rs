//! Object-safe versions of the store and cache traits, so that both can be chosen at run time. They cost one allocation per
//! call.

use crate::aggregation::Aggregation;
use crate::caches::{AggregationCache, CacheError};
use crate::ids::LogId;
use crate::log_state::LogPosition;
use crate::stores::EventStore;
use crate::stores::appends::AppendAcrossRequest;
use crate::stores::error::store::StoreError;
use crate::stores::error::{AppendError, ReadError};
use crate::stores::fold::{EventFold, Newest};
use crate::stores::idempotency::{IdempotencyKey, Replay};
use crate::stores::list::{ListRequest, LogList};
use crate::stores::page::{Page, ReadRequest};
use crate::stores::request::{AppendRequest, Appended};
use crate::stores::store_id::StoreId;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// An [`EventStore`] of any type.
pub(super) trait ErasedStore<E>: Send + Sync {
    fn append<'a>(
        &'a self,
        request: AppendRequest<'a, E>,
    ) -> BoxFuture<'a, Result<Appended<E>, AppendError>>;
    fn append_across<'a>(
        &'a self,
        request: AppendAcrossRequest<'a>,
    ) -> BoxFuture<'a, Result<Vec<LogPosition>, AppendError>>;
    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page<E>, ReadError>>;
    fn fold<'a>(&'a self, fold: &'a mut dyn EventFold<E>) -> BoxFuture<'a, Result<(), ReadError>>;
    fn fold_all<'a>(
        &'a self,
        folds: &'a mut [&'a mut dyn EventFold<E>],
    ) -> BoxFuture<'a, Vec<Result<(), ReadError>>>;
    fn newest(&self, log_id: LogId, most: usize) -> BoxFuture<'_, Result<Newest<E>, StoreError>>;
    fn ends<'a>(
        &'a self,
        log_ids: &'a [LogId],
    ) -> BoxFuture<'a, Result<Vec<Option<LogPosition>>, StoreError>>;
    fn store_id(&self) -> StoreId;
    fn list(&self, request: ListRequest) -> BoxFuture<'_, Result<LogList<E>, StoreError>>;
    fn find_key<'a>(
        &'a self,
        key: IdempotencyKey<'a>,
    ) -> BoxFuture<'a, Result<Vec<Replay>, StoreError>>;
    fn prune_idempotency_keys(
        &self,
        older_than: Duration,
    ) -> BoxFuture<'_, Result<u64, StoreError>>;
    fn migrate(&self) -> BoxFuture<'_, Result<(), StoreError>>;
    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>>;
    fn close(&self) -> BoxFuture<'_, ()>;
}

impl<E: Send + Sync + 'static, S: EventStore<E>> ErasedStore<E> for S {
    fn append<'a>(
        &'a self,
        request: AppendRequest<'a, E>,
    ) -> BoxFuture<'a, Result<Appended<E>, AppendError>> {
        Box::pin(EventStore::append(self, request))
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_, Result<Page<E>, ReadError>> {
        Box::pin(EventStore::read(self, request))
    }

    fn fold<'a>(&'a self, fold: &'a mut dyn EventFold<E>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(EventStore::fold(self, fold))
    }

    fn fold_all<'a>(
        &'a self,
        folds: &'a mut [&'a mut dyn EventFold<E>],
    ) -> BoxFuture<'a, Vec<Result<(), ReadError>>> {
        Box::pin(EventStore::fold_all(self, folds))
    }

    fn newest(&self, log_id: LogId, most: usize) -> BoxFuture<'_, Result<Newest<E>, StoreError>> {
        Box::pin(EventStore::newest(self, log_id, most))
    }

    fn append_across<'a>(
        &'a self,
        request: AppendAcrossRequest<'a>,
    ) -> BoxFuture<'a, Result<Vec<LogPosition>, AppendError>> {
        Box::pin(EventStore::append_across(self, request))
    }

    fn ends<'a>(
        &'a self,
        log_ids: &'a [LogId],
    ) -> BoxFuture<'a, Result<Vec<Option<LogPosition>>, StoreError>> {
        Box::pin(EventStore::ends(self, log_ids))
    }

    fn store_id(&self) -> StoreId {
        EventStore::store_id(self)
    }

    fn list(&self, request: ListRequest) -> BoxFuture<'_, Result<LogList<E>, StoreError>> {
        Box::pin(EventStore::list(self, request))
    }

    fn find_key<'a>(
        &'a self,
        key: IdempotencyKey<'a>,
    ) -> BoxFuture<'a, Result<Vec<Replay>, StoreError>> {
        Box::pin(EventStore::find_key(self, key))
    }

    fn prune_idempotency_keys(
        &self,
        older_than: Duration,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(EventStore::prune_idempotency_keys(self, older_than))
    }

    fn migrate(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(EventStore::migrate(self))
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(EventStore::ping(self))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(EventStore::close(self))
    }
}

/// An [`AggregationCache`] of any type.
pub(super) trait ErasedCache<A>: Send + Sync {
    fn get(&self, log_id: LogId) -> BoxFuture<'_, Result<Option<Aggregation<A>>, CacheError>>;
    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>>;
    fn is_remote(&self) -> bool;
    fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> BoxFuture<'_, Result<(), CacheError>>;
    fn remove(&self, state: LogPosition) -> BoxFuture<'_, Result<(), CacheError>>;
    fn forget(&self, log_id: LogId) -> BoxFuture<'_, Result<(), CacheError>>;
}

impl<A: 'static, C: AggregationCache<A>> ErasedCache<A> for C {
    fn get(&self, log_id: LogId) -> BoxFuture<'_, Result<Option<Aggregation<A>>, CacheError>> {
        Box::pin(AggregationCache::get(self, log_id))
    }

    fn peek(&self, log_id: LogId) -> Option<Aggregation<A>> {
        AggregationCache::peek(self, log_id)
    }

    fn is_remote(&self) -> bool {
        AggregationCache::is_remote(self)
    }

    fn put(
        &self,
        aggregation: Aggregation<A>,
        ttl: Option<Duration>,
    ) -> BoxFuture<'_, Result<(), CacheError>> {
        Box::pin(AggregationCache::put(self, aggregation, ttl))
    }

    fn remove(&self, state: LogPosition) -> BoxFuture<'_, Result<(), CacheError>> {
        Box::pin(AggregationCache::remove(self, state))
    }

    fn forget(&self, log_id: LogId) -> BoxFuture<'_, Result<(), CacheError>> {
        Box::pin(AggregationCache::forget(self, log_id))
    }
}
