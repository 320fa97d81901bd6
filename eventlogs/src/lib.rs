#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// What input, a network or a database can reach must return an error.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable
)]

// The derive macros name this crate `::eventlogs`; inside the crate itself that path leads here.
extern crate self as eventlogs;

mod aggregate;
mod aggregation;
#[cfg(feature = "_database")]
mod append_in;
pub mod caches;
mod caching;
pub mod codec;
mod cursor;
mod error_kind;
mod event;
pub mod feed;
pub mod guide;
mod hash;
pub mod ids;
mod log_state;
mod manager;
mod metadata;
pub mod projection;
mod record;
mod shared_error;
pub mod stores;
pub mod subscriptions;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
mod time_box;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod tls;

#[doc(hidden)]
pub mod __example;
#[doc(hidden)]
pub mod __private;

pub use aggregate::{Aggregate, CodeFingerprint, EventHandler, WholeSnapshot};
pub use aggregation::{Aggregation, ReducedThrough};
pub use caches::AggregationCache;
pub use caches::memory::MemoryAggregationCache;
#[cfg(feature = "redis")]
pub use caches::redis::{MacKey, RedisAggregationCache, RedisCacheOptions, RedisConnectError};
#[cfg(all(feature = "redis", feature = "tls-rustls"))]
pub use caches::redis::{RedisTls, RedisTlsClient};
pub use caches::tiered::TieredAggregationCache;
pub use caching::{AggregationCachingPolicy, CacheRules, LogAgePolicy, LogLengthPolicy};
pub use codec::Codec;
pub use cursor::{Cursor, UnknownCursor};
pub use error_kind::ErrorKind;
pub use event::needs::EventNeeds;
pub use event::{Event, EventSchema, EventType, LogType};
pub use feed::{EventFeed, FeedError, FeedEvent, FeedRecord};
pub use log_state::{IntoLogState, LogPosition, LogState};
pub use manager::{
    Across, AppendOptions, CreateOptions, DecideError, DecideOptions, Decided, DecidedAcross,
    DecidedLog, DecisionOutcome, Freshness, IntoEvents, IntoLog, IntoLogs, ListOptions, LogManager,
    LogManagerError, LogManagerOptions, ManagedLog, PointInTime, ReduceOptions, across,
};
#[cfg(feature = "tracing-subscriber")]
pub use metadata::SpanMetadata;
pub use metadata::{Metadata, MetadataSource, MetadataValue, TaskMetadata};
pub use projection::{HandlerError, HandlerOutcome, ProjectedRow, Projection, Rows, Subscriber};
pub use record::{BorrowedRecord, EventRecord, RecordedEvent};
pub use shared_error::SharedError;
#[cfg(feature = "_database")]
pub use stores::any::{AnyEventStore, connect};
#[cfg(feature = "postgres")]
pub use stores::postgres::{Pooler, PostgresEventStore, PostgresOptions, TargetSession};
#[cfg(feature = "sqlite")]
pub use stores::sqlite::{
    BackupError, BackupProgress, SqliteEventStore, SqliteOptions, SqliteTransaction,
    SqliteTransactionConnection,
};
pub use stores::{
    Appends, EventStore, IdempotencyScope, ListCursor, ListOrder, ListedLog, LogList,
    RequestFingerprint,
};

#[cfg(feature = "macros")]
pub use eventlogs_derive::{Aggregate, Event, Projection, event_handler, on};

/// The driver of the databases, for the handlers of projections,
/// [`append_in`](EventStore#implementors) and pools of one's own.
#[cfg(feature = "_database")]
pub use sqlx;

/// The driver of the Redis cache, for connections of one's own.
#[cfg(feature = "redis")]
pub use redis;
