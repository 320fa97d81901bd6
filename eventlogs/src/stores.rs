//! Where logs are kept.

pub mod fake;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub(crate) mod appends;
#[cfg(feature = "_database")]
mod database;
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "databases use more of it than the fake")
)]
mod encoding;
pub(crate) mod error;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod page;
pub(crate) mod request;
mod times;
#[cfg_attr(
    not(feature = "_database"),
    allow(dead_code, reason = "databases use more of it than the fake")
)]
pub(crate) mod write;

pub use appends::{AppendAcrossRequest, AppendPart, Appends};
pub use error::{
    AppendError, DecodeError, EncodeError, InvalidAppend, OpenError, ReadError, StoreError,
};
pub use idempotency::{IdempotencyKey, IdempotencyScope, Replay, RequestFingerprint};
pub use limits::Limits;
pub use page::{Page, ReadRequest, ReadStart};
pub use request::{AppendObserver, AppendRequest, AppendSettled, Appended, Expected};
pub use write::WriteContext;

use crate::log_state::LogPosition;
use std::time::Duration;

/// A store of logs.
///
/// An append either happens whole or not at all; of several at one index exactly one wins. What it answers is decided
/// in this order: the events are already stored under their own ids (an attempt whose answer was lost: the same answer
/// again), the idempotency key was used before ([`AppendError::Replay`]), the log has another end than expected
/// ([`AppendError::Conflict`] and its kin). [`testing::conformance`](crate::testing::conformance) has the suite that
/// every store must pass.
///
/// Databases implement it for every [`Event`](crate::Event); the trait itself asks less, so that a store in memory can
/// keep plain values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not store events of type `{E}`",
    note = "a database stores every type with `#[derive(Event)]`; `FakeEventStore::<{E}>` stores every `Clone` type"
)]
pub trait EventStore<E: Send + Sync + 'static>: Send + Sync + 'static {
    /// Appends events to one log. One round trip when it succeeds.
    ///
    /// A future dropped before it first waits has written nothing; after that the events may be stored or not.
    ///
    /// # Errors
    /// As described at each variant of [`AppendError`].
    fn append(
        &self,
        request: AppendRequest<'_, E>,
    ) -> impl Future<Output = Result<Appended<E>, AppendError>> + Send;

    /// Appends events to several logs, to all of them or to none. One round trip when it succeeds.
    ///
    /// What it answers is decided as for a single append; where several logs stand in the way, any of them may be named. The
    /// states are in the order of the parts. A future dropped before it first waits has written nothing; after that the
    /// events may be stored, all of them, or not.
    ///
    /// # Errors
    /// As described at each variant of [`AppendError`]. A [`Replay`](AppendError::Replay) is that of the first log;
    /// [`find_key`](EventStore::find_key) has the others.
    fn append_across(
        &self,
        request: AppendAcrossRequest<'_>,
    ) -> impl Future<Output = Result<Vec<LogPosition>, AppendError>> + Send;

    /// Reads one page of a log in one round trip. A log that does not exist gives an empty page.
    ///
    /// # Errors
    /// As described at each variant of [`ReadError`].
    fn read(&self, request: ReadRequest)
    -> impl Future<Output = Result<Page<E>, ReadError>> + Send;

    /// The write that used an idempotency key: nothing if none did, else one entry for each log that it wrote to, in the order
    /// in which it named them.
    ///
    /// # Errors
    /// When the store cannot be asked.
    fn find_key(
        &self,
        key: IdempotencyKey<'_>,
    ) -> impl Future<Output = Result<Vec<Replay>, StoreError>> + Send;

    /// Forgets the idempotency keys that were used longer ago than this, by the store's clock, and returns how many writes
    /// they belonged to. The events stay. A retry that comes later is not recognised any more.
    ///
    /// # Errors
    /// When the store cannot be asked. What was forgotten before that stays forgotten.
    fn prune_idempotency_keys(
        &self,
        older_than: Duration,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
